-- Which sessions of roles are kept as billed, though others of the role are kept as one?
--
-- parameters: roles   the roles' ARNs; and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per session
SELECT DISTINCT iam_principal
FROM scope
WHERE contains(CAST(:roles AS ARRAY(VARCHAR)), principal) AND iam_principal <> principal
