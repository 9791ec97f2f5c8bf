-- The same meaning without days, resources and invoices: what most questions need.
--
-- relations: enriched = daily rows
-- grain:     one row per billing period, payer, account, seller, IAM principal, who pays, meter,
--            region, line type
-- columns:   as in daily.sql; usage_date is NULL, for statements that can ask either rows
SELECT
  billing_period,
  currency,
  payer_account_id,
  legal_entity,
  line_item_type,
  usage_account_id,
  usage_account_name,
  iam_principal,
  principal_type,
  principal,
  principal_name,
  session_name,
  is_gateway,
  tenant,
  tenant_source,
  team,
  team_source,
  project,
  project_source,
  cost_center,
  cost_center_source,
  blank_tags,
  other_opinions,
  product_code,
  usage_type,
  region,
  charge_category,
  provider,
  model,
  token_type,
  service_tier,
  scope,
  is_default_project,
  recognised,
  note,
  SUM(usage_amount) AS usage_amount,
  SUM(tokens) AS tokens,
  SUM(cost) AS cost,
  SUM(unblended_cost) AS unblended_cost,
  CAST(NULL AS DATE) AS usage_date
FROM enriched
GROUP BY
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
  27, 28, 29, 30, 31, 32, 33, 34, 35
ORDER BY tenant, team, principal
