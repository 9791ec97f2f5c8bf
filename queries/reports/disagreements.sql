-- Of whom do tags and owner lists say different things?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per account, principal, what decided and what did not; largest first
-- columns:    cost in currency
--             other_opinions   JSON, as in store/daily.sql
SELECT
  principal,
  usage_account_id AS account,
  unit,
  source,
  other_opinions,
  MAX(principal_name) AS name,
  SUM(cost) AS cost
FROM by_unit
WHERE strpos(other_opinions, '"' || :dimension || '": {') > 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY cost DESC, 1, 2, 3, 4, 5
