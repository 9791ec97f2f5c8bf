-- How did the months up to this one compare?
--
-- parameters: scope.sql's
-- relations:  enriched = monthly rows, or those of monthly_principals.sql
-- grain:      one row per billing period that has lines in scope, oldest first
-- columns:    cost and its parts in currency; tokens single tokens; token_cost the cost of the
--             lines that are tokens, so that token_cost / tokens is a price; input_tokens what was
--             sent to models, cache_read_tokens what of it came from the prompt cache
SELECT
  billing_period,
  SUM(cost) AS cost,
  SUM(CASE WHEN charge_category = 'usage' THEN cost ELSE 0 END) AS usage_cost,
  COALESCE(SUM(tokens), 0) AS tokens,
  SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost,
  COALESCE(SUM(input_tokens), 0) AS input_tokens,
  COALESCE(SUM(cache_read_tokens), 0) AS cache_read_tokens,
  SUM(CASE WHEN tenant <> '(unallocated)' THEN cost ELSE 0 END) AS tenant_cost
FROM scope
GROUP BY billing_period
ORDER BY billing_period
