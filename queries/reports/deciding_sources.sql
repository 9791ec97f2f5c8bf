-- Which source decided whose each dollar is?
--
-- parameters: dimension   tenant, team, project, cost_center or principal; and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per deciding source, largest first; source '' is unallocated
-- columns:    cost in currency
SELECT
  source,
  SUM(cost) AS cost
FROM by_unit
GROUP BY source
ORDER BY cost DESC, source
