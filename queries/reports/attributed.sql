-- How much of each month is attributed to a unit of a dimension?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = monthly rows, or those of monthly_principals.sql
-- grain:      one row per billing period, oldest first
-- columns:    cost, attributed   in currency
SELECT
  billing_period,
  SUM(cost) AS cost,
  SUM(CASE WHEN unit = '(unallocated)' THEN 0 ELSE cost END) AS attributed
FROM by_unit
GROUP BY billing_period
ORDER BY billing_period
