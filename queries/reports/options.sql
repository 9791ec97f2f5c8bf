-- Which values can the filters take in this month?
--
-- parameters: scope.sql's (all lists NULL)
-- relations:  enriched = monthly rows
-- grain:      one row per filter and value, largest first
-- columns:    cost in currency
WITH seen AS (
  SELECT 'account' AS filter, usage_account_id AS value, usage_account_name AS name, cost FROM scope
  UNION ALL
  SELECT 'team', team, team, cost FROM scope
  UNION ALL
  SELECT 'tenant', tenant, tenant, cost FROM scope
  UNION ALL
  SELECT 'model', model, model, cost FROM scope
  UNION ALL
  SELECT 'region', region, region, cost FROM scope
)

SELECT
  filter,
  value,
  MAX(name) AS name,
  SUM(cost) AS cost
FROM seen
GROUP BY filter, value
ORDER BY filter, CASE WHEN value = '(unallocated)' THEN 1 ELSE 0 END, cost DESC, value
