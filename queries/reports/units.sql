-- Which units of a dimension does a month hold, and how do people call them?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = monthly rows, or those of monthly_principals.sql
-- grain:      one row per unit, largest first, '(unallocated)' last
-- columns:    cost in currency
SELECT
  unit,
  MAX(COALESCE(name, unit)) AS name,
  SUM(cost) AS cost
FROM by_unit
GROUP BY unit
ORDER BY CASE WHEN unit = '(unallocated)' THEN 1 ELSE 0 END, cost DESC, unit
