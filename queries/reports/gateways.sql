-- Through which roles do many callers come, and how much of it names a unit of a dimension?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per gateway's role, largest first
-- columns:    cost, named_cost   in currency; named_cost of lines that name a unit
--             callers, named_callers   sessions
SELECT
  principal,
  MAX(principal_name) AS name,
  MAX(usage_account_id) AS account,
  SUM(cost) AS cost,
  SUM(CASE WHEN unit = '(unallocated)' THEN 0 ELSE cost END) AS named_cost,
  COUNT(DISTINCT iam_principal) AS callers,
  COUNT(DISTINCT CASE WHEN unit <> '(unallocated)' THEN iam_principal END) AS named_callers
FROM by_unit
WHERE is_gateway
GROUP BY principal
ORDER BY cost DESC, principal
