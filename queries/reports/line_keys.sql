-- Which identities and meters of the bill stand behind the rows in scope?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per identity and meter, as queries/cur/lines.sql takes them
SELECT DISTINCT
  usage_account_id || '|' || iam_principal || '|' || tags || '|' || resource_tags || '|' || cost_category AS identity,
  product_code || '|' || usage_type || '|' || operation || '|' || line_item_type || '|' || region
  || '|' || currency AS meter
FROM scope
