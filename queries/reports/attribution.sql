-- Which source decided whose each dollar is?
--
-- parameters: scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per dimension and deciding source, largest first; source '' is unallocated
-- columns:    cost in currency
WITH decided AS (
  SELECT
    'principal' AS dimension,
    CASE WHEN principal = '(unallocated)' THEN '' ELSE principal_type END AS source,
    cost
  FROM scope
  UNION ALL
  SELECT 'team', team_source, cost FROM scope
  UNION ALL
  SELECT 'tenant', tenant_source, cost FROM scope
)

SELECT
  dimension,
  source,
  SUM(cost) AS cost
FROM decided
GROUP BY dimension, source
ORDER BY dimension, cost DESC, source
