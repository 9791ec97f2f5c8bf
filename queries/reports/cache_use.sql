-- What was written to and read from prompt caches, and what did input cost beside it?
--
-- parameters: scope.sql's (first_month = month)
-- relations:  enriched = daily rows, which know long context: its input has a price of its own
-- grain:      one row per model and all else that an input price depends on, where a cache was used
-- columns:    input_cost, cached_cost   in currency, of input_tokens and cached_tokens: single
--                                       tokens; cached is read from a cache or written to one
--             unsized_cost              in currency, cached in units of unknown size
WITH sent AS (
  SELECT
    *,
    token_type <> 'input' AS is_cached
  FROM scope
  WHERE
    charge_category = 'usage'
    AND (token_type = 'input' OR token_type LIKE 'cache read%' OR token_type LIKE 'cache write%')
)

SELECT
  model,
  payer_account_id,
  product_code,
  service_tier,
  scope,
  region,
  long_context,
  COALESCE(SUM(CASE WHEN NOT is_cached THEN tokens END), 0) AS input_tokens,
  SUM(CASE WHEN NOT is_cached AND tokens IS NOT NULL THEN cost ELSE 0 END) AS input_cost,
  COALESCE(SUM(CASE WHEN is_cached THEN tokens END), 0) AS cached_tokens,
  SUM(CASE WHEN is_cached AND tokens IS NOT NULL THEN cost ELSE 0 END) AS cached_cost,
  SUM(CASE WHEN is_cached AND tokens IS NULL THEN cost ELSE 0 END) AS unsized_cost
FROM sent
GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING SUM(CASE WHEN is_cached THEN 1 ELSE 0 END) > 0
ORDER BY 1, 2, 3, 4, 5, 6, 7
