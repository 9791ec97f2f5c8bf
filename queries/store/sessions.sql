-- Which identities are sessions of a role that has many in the period? Python reads each once.
--
-- parameters: above             how many sessions a role has at most that is left out
--             reads_resources   1 where a rule reads resource ids, else 0
-- grain:      one row per identity, as in identities.sql
WITH roles AS (
  SELECT
    split_part(iam_principal, '/', 1) || '/' || split_part(iam_principal, '/', 2) || '/' AS role_session
  FROM spend
  WHERE iam_principal LIKE '%:assumed-role/%/%'
  GROUP BY 1
  HAVING COUNT(DISTINCT iam_principal) > :above
)

SELECT DISTINCT
  s.usage_account_id,
  s.iam_principal,
  s.tags,
  s.resource_tags,
  s.cost_category,
  CASE WHEN :reads_resources = 1 THEN s.resource_id ELSE '' END AS resource_id
FROM spend AS s
INNER JOIN roles AS r
  ON split_part(s.iam_principal, '/', 1) || '/' || split_part(s.iam_principal, '/', 2) || '/' = r.role_session
WHERE s.iam_principal LIKE '%:assumed-role/%/%'
