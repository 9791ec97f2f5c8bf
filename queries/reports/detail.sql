-- Which lines stand behind a month's statement?
--
-- parameters: month
-- relations:  spend = daily rows
-- grain:      one row per distinct combination of the text columns below
-- columns:    usage_amount in pricing_unit; tokens single tokens, NULL for what is not tokens;
--             unblended_cost, net_unblended_cost in currency, exact
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
  CASE
    WHEN COUNT(net_unblended_cost) > 0 THEN SUM(COALESCE(net_unblended_cost, unblended_cost))
  END AS net_unblended_cost,
  currency
FROM spend
WHERE billing_period = :month
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 29
ORDER BY 2, 3, 4, 8, 9, 10, 11, 12, 13, 20, 21, 22, 23, 25, 29, 14, 15, 16, 17, 18, 19
