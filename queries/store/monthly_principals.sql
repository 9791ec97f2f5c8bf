-- The same meaning without days, sessions and kinds of tokens: what each principal spends on models.
--
-- relations: enriched = monthly rows
-- grain:     one row per billing period, account, principal, who pays, model, region, charge
--            category, and whether there are tokens
-- columns:   as in monthly.sql and kinds_of_tokens.sql
SELECT
  billing_period,
  currency,
  charge_category,
  usage_account_id,
  usage_account_name,
  principal_type,
  principal,
  principal_name,
  tenant,
  tenant_source,
  team,
  team_source,
  project,
  project_source,
  cost_center,
  cost_center_source,
  provider,
  model,
  region,
  usage_date,
  SUM(tokens) AS tokens,
  SUM(input_tokens) AS input_tokens,
  SUM(cache_read_tokens) AS cache_read_tokens,
  SUM(cost) AS cost
FROM kinds_of_tokens
GROUP BY
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  -- So that what has tokens, and what has none, are still told apart.
  tokens > 0
ORDER BY tenant, team, principal
