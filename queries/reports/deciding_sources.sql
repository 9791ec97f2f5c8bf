-- Which source decided whose each dollar is?
--
-- parameters: dimension   tenant, team, project, cost_center or principal; and scope.sql's
-- relations:  enriched = monthly rows, or those of monthly_principals.sql
-- grain:      one row per deciding source, largest first; source '' is unallocated, and last
-- columns:    cost in currency
SELECT
  source,
  SUM(cost) AS cost
FROM by_unit
GROUP BY source
ORDER BY CASE WHEN source = '' THEN 1 ELSE 0 END, cost DESC, source
