-- Which source decided whose each dollar is?
--
-- parameters: dimension   tenant, team or principal; and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per deciding source, largest first; source '' is unallocated
-- columns:    cost in currency
WITH decided AS (
  SELECT
    CASE
      WHEN :dimension = 'tenant' THEN tenant_source
      WHEN :dimension = 'team' THEN team_source
      WHEN :dimension = 'principal' AND principal = '(unallocated)' THEN ''
      WHEN :dimension = 'principal' THEN principal_type
    END AS source,
    cost
  FROM scope
)

SELECT
  source,
  SUM(cost) AS cost
FROM decided
GROUP BY source
ORDER BY cost DESC, source
