-- Which identities and meters of the bill stand behind the rows in scope?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per identity and meter, as queries/cur/lines.sql takes them
-- columns:    tokens_per_unit in single tokens, NULL for what is not tokens
SELECT
  usage_account_id || '|' || iam_principal || '|' || tags || '|' || resource_tags || '|' || cost_category AS identity,
  product_code || '|' || usage_type || '|' || operation || '|' || line_item_type || '|' || region
  || '|' || currency AS meter,
  ROUND(CAST(SUM(tokens) AS DOUBLE) / NULLIF(CAST(SUM(usage_amount) AS DOUBLE), 0)) AS tokens_per_unit
FROM scope
GROUP BY 1, 2
