-- What did each day of two months cost of some callers, within each unit?
--
-- parameters: callers   of by_caller.sql
--             named, inside   as in movement.sql; and by_caller.sql's
-- relations:  enriched = daily rows
-- grain:      one row per unit, caller and usage date (UTC) of the month that it is billed in
-- columns:    token_cost, other_cost   usage in currency, of meters of tokens and of others
--             prompt_tokens            single tokens sent to models as text, cached or not;
--                                      cache_read_tokens what of it came from the prompt cache
SELECT
  COALESCE(unit, '') AS unit,
  caller,
  usage_date,
  SUM(CASE WHEN is_tokens THEN cost ELSE 0 END) AS token_cost,
  SUM(CASE WHEN is_tokens THEN 0 ELSE cost END) AS other_cost,
  COALESCE(SUM(
    CASE WHEN token_type = 'input' OR token_type LIKE 'cache %' THEN tokens END
  ), 0) AS prompt_tokens,
  COALESCE(SUM(CASE WHEN token_type = 'cache read' THEN tokens END), 0) AS cache_read_tokens
FROM by_caller
WHERE
  charge_category = 'usage'
  AND contains(CAST(:callers AS ARRAY(VARCHAR)), caller)
  AND contains(CAST(:named AS ARRAY(VARCHAR)), COALESCE(unit, ''))
  AND COALESCE(contains(CAST(:inside AS ARRAY(VARCHAR)), home), TRUE)
  AND usage_date >= CAST(billing_period || '-01' AS DATE)
  AND usage_date < date_add('month', 1, CAST(billing_period || '-01' AS DATE))
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
