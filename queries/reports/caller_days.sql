-- What did each day of two months cost of some callers, within each unit?
--
-- parameters: principals, sessions   the callers: as reports know them, and IAM principals as billed
--             named, attributed, inside   as in movement.sql; and by_unit.sql's
-- relations:  enriched = daily rows, or those of daily_callers.sql
-- grain:      one row per unit, caller and usage date (UTC) of the month that it is billed in
-- columns:    token_cost, other_cost   usage in currency, of meters of tokens and of others
--             prompt_tokens            single tokens sent to models as text, cached or not;
--                                      cache_read_tokens what of it came from the prompt cache
WITH called AS (
  SELECT
    COALESCE(unit, '') AS unit,
    CASE
      WHEN contains(CAST(:sessions AS ARRAY(VARCHAR)), iam_principal) THEN iam_principal
      ELSE principal
    END AS caller,
    usage_date,
    tokens,
    prompt_tokens,
    cache_read_tokens,
    cost
  FROM by_unit
  WHERE
    charge_category = 'usage'
    AND (
      contains(CAST(:sessions AS ARRAY(VARCHAR)), iam_principal)
      OR contains(CAST(:principals AS ARRAY(VARCHAR)), principal)
    )
    AND contains(CAST(:named AS ARRAY(VARCHAR)), COALESCE(unit, ''))
    AND COALESCE(
      contains(
        CAST(:inside AS ARRAY(VARCHAR)),
        CASE
          WHEN :attributed = 'tenant' THEN tenant
          WHEN :attributed = 'team' THEN team
          WHEN :attributed = 'project' THEN project
          WHEN :attributed = 'cost_center' THEN cost_center
        END
      ),
      TRUE
    )
    AND usage_date >= CAST(billing_period || '-01' AS DATE)
    AND usage_date < date_add('month', 1, CAST(billing_period || '-01' AS DATE))
)

SELECT
  unit,
  caller,
  usage_date,
  SUM(CASE WHEN tokens IS NULL THEN 0 ELSE cost END) AS token_cost,
  SUM(CASE WHEN tokens IS NULL THEN cost ELSE 0 END) AS other_cost,
  COALESCE(SUM(prompt_tokens), 0) AS prompt_tokens,
  COALESCE(SUM(cache_read_tokens), 0) AS cache_read_tokens
FROM called
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
