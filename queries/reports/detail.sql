-- Which lines stand behind a month's statement?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per distinct combination of the text columns below
-- columns:    usage_amount in pricing_unit; tokens single tokens, NULL for what is not tokens;
--             in currency, exact: unblended_cost, net_unblended_cost as AWS wrote them (net is NULL
--             where AWS filled none), billed_cost the amount on the bill
SELECT
  billing_period,
  usage_date,
  usage_account_id,
  iam_principal,
  principal_type,
  principal_name,
  session_name,
  tenant,
  tenant_source,
  team,
  team_source,
  project,
  cost_center,
  provider,
  model,
  service_tier,
  token_type,
  scope,
  long_context,
  usage_type,
  region,
  line_item_type,
  invoice_id,
  SUM(usage_amount) AS usage_amount,
  pricing_unit,
  SUM(tokens) AS tokens,
  SUM(unblended_cost) AS unblended_cost,
  SUM(net_unblended_cost) AS net_unblended_cost,
  currency,
  payer_account_id,
  legal_entity,
  product_code,
  resource_id,
  SUM(cost) AS billed_cost
FROM scope
GROUP BY
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 29, 30, 31,
  32, 33, net_unblended_cost IS NULL
ORDER BY
  2, 3, 4, 8, 9, 10, 11, 12, 13, 20, 21, 22, 23, 25, 29, 14, 15, 16, 17, 18, 19, 30, 31, 32, 33, 28
