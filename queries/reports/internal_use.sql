-- Which teams and cost centers use Bedrock for no tenant?
--
-- parameters: by_unit.sql's (dimension: tenant)
-- relations:  enriched = monthly rows
-- grain:      one row per cost center and team, largest first; '(unallocated)' where there is none
-- columns:    cost in currency; callers   IAM principals
SELECT
  cost_center,
  team,
  SUM(cost) AS cost,
  COUNT(DISTINCT NULLIF(iam_principal, '')) AS callers
FROM unallocated
WHERE reason = 'internal-use'
GROUP BY cost_center, team
ORDER BY cost DESC, cost_center, team
