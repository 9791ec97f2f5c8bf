-- Whose calls, or which meters, does nobody pay for, for one reason?
--
-- parameters: reason    of unallocated.sql
--             longest   how many of the largest to give; NULL for all
--             by_unit.sql's (first_month: from where `since` is looked for)
-- relations:  enriched = monthly rows
-- grain:      one row per account and principal of the month (a role's sessions together), and per
--             meter where there is no principal; largest first
-- columns:    cost                in currency, of the month
--             since               the first billing period that has it
--             callers             IAM principals of the month; caller: one of them, as billed
--             team, cost_center   one that its lines name; '' for none
--             found               how many there are, with those that are not given
WITH callers AS (
  SELECT
    principal,
    usage_account_id AS account,
    CASE WHEN iam_principal = '' THEN usage_type ELSE '' END AS meter,
    MAX(principal_name) AS name,
    MAX(principal_type) AS principal_type,
    MAX(usage_account_name) AS account_name,
    SUM(CASE WHEN billing_period = :month THEN cost ELSE 0 END) AS cost,
    MIN(billing_period) AS since,
    COUNT(
      DISTINCT CASE WHEN billing_period = :month THEN NULLIF(iam_principal, '') END
    ) AS callers,
    COALESCE(MAX(CASE WHEN billing_period = :month THEN iam_principal END), '') AS caller,
    COALESCE(MAX(NULLIF(team, '(unallocated)')), '') AS team,
    COALESCE(MAX(NULLIF(cost_center, '(unallocated)')), '') AS cost_center
  FROM unallocated
  WHERE reason = :reason
  GROUP BY 1, 2, 3
  HAVING SUM(CASE WHEN billing_period = :month THEN 1 ELSE 0 END) > 0
),

placed AS (
  SELECT
    *,
    ROW_NUMBER() OVER (ORDER BY cost DESC, principal, account, meter) AS place,
    COUNT(*) OVER () AS found
  FROM callers
)

SELECT *
FROM placed
WHERE CAST(:longest AS INTEGER) IS NULL OR place <= CAST(:longest AS INTEGER)
ORDER BY place
