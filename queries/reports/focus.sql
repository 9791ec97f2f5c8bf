-- Which charges of a month stand in its FOCUS file, before anything moves?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per distinct combination of the columns below that are not amounts
-- columns:    usage_amount in pricing_unit; tokens single tokens, NULL for what is not tokens;
--             in currency, exact: unblended_cost as AWS wrote it, cost the amount on the bill
--             tags, resource_tags, cost_category   JSON objects
SELECT
  unit,
  usage_date,
  payer_account_id,
  usage_account_id,
  usage_account_name,
  iam_principal,
  tenant,
  team,
  project,
  cost_center,
  tags,
  resource_tags,
  cost_category,
  billing_entity,
  legal_entity,
  invoice_id,
  currency,
  product_code,
  usage_type,
  operation,
  region,
  resource_id,
  line_item_type,
  charge_category,
  provider,
  model,
  token_type,
  service_tier,
  pricing_unit,
  SUM(usage_amount) AS usage_amount,
  SUM(tokens) AS tokens,
  SUM(unblended_cost) AS unblended_cost,
  SUM(cost) AS cost
FROM by_unit
GROUP BY
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
  28, 29
ORDER BY
  2, 3, 4, 6, 1, 7, 8, 9, 10, 18, 19, 20, 21, 22, 23, 16, 17, 15, 14, 11, 12, 13, 5, 24, 25, 26, 27,
  28, 29
