-- Which units of a dimension cost most over all months together?
--
-- parameters: dimension, longest (how many to give)   and scope.sql's (first_month to month)
-- relations:  enriched = monthly rows, or those of monthly_principals.sql
-- grain:      one row per unit, largest first; '(unallocated)' left out
-- columns:    place   1 for the largest
WITH units AS (
  SELECT
    unit,
    SUM(cost) AS cost
  FROM by_unit
  WHERE unit <> '(unallocated)'
  GROUP BY unit
),

placed AS (
  SELECT
    unit,
    ROW_NUMBER() OVER (ORDER BY cost DESC, unit) AS place
  FROM units
)

SELECT
  unit,
  place
FROM placed
WHERE place <= CAST(:longest AS INTEGER)
ORDER BY place
