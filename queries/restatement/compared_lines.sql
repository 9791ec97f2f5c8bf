-- What does each line come to in two readings of a month, and who pays for it?
--
-- relations: closed_lines, current_lines = rows of reports/restatement_lines.sql
-- grain:     theirs: one row per line and who pays for it
-- columns:   closed_…, current_…, more_…   on the one side, on the other, and the difference: cost,
--                     unblended_cost in currency, exact; tokens single tokens; usage in pricing_unit
--            was_there, is_there   1 if it is on the closed side, on the current side, else 0
WITH sides AS (
  SELECT *, 1 AS was_there, 0 AS is_there
  FROM closed_lines
  UNION ALL
  SELECT *, 0 AS was_there, 1 AS is_there
  FROM current_lines
)

SELECT
  usage_date,
  payer_account_id,
  usage_account_id,
  iam_principal,
  billing_entity,
  legal_entity,
  product_code,
  usage_type,
  operation,
  region,
  resource_id,
  line_item_type,
  charge_category,
  pricing_unit,
  currency,
  unit,
  model,
  team,
  tenant,
  project,
  cost_center,
  SUM(was_there) AS was_there,
  SUM(is_there) AS is_there,
  SUM(CASE WHEN was_there = 1 THEN cost ELSE 0 END) AS closed_cost,
  SUM(CASE WHEN was_there = 1 THEN unblended_cost ELSE 0 END) AS closed_unblended_cost,
  SUM(CASE WHEN was_there = 1 THEN tokens ELSE 0 END) AS closed_tokens,
  SUM(CASE WHEN is_there = 1 THEN cost ELSE 0 END) AS current_cost,
  SUM(CASE WHEN is_there = 1 THEN unblended_cost ELSE 0 END) AS current_unblended_cost,
  SUM(CASE WHEN is_there = 1 THEN tokens ELSE 0 END) AS current_tokens,
  SUM(CASE WHEN is_there = 1 THEN cost ELSE 0 - cost END) AS more_cost,
  SUM(CASE WHEN is_there = 1 THEN unblended_cost ELSE 0 - unblended_cost END)
    AS more_unblended_cost,
  SUM(CASE WHEN is_there = 1 THEN tokens ELSE 0 - tokens END) AS more_tokens,
  SUM(CASE WHEN is_there = 1 THEN usage_amount ELSE 0 - usage_amount END) AS more_usage
FROM sides
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
