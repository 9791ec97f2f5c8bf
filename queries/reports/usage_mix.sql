-- What was used: which models, token types and tiers, at what price?
--
-- parameters: scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per billing period, provider, model, token type, tier and scope
-- columns:    cost, token_cost in currency; tokens single tokens
SELECT
  billing_period,
  provider,
  model,
  token_type,
  service_tier,
  SUM(cost) AS cost,
  COALESCE(SUM(tokens), 0) AS tokens,
  SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost
FROM scope
GROUP BY 1, 2, 3, 4, 5
ORDER BY cost DESC, 1, 2, 3, 4, 5
