-- Why does nobody pay, and for how much of the month?
--
-- parameters: by_unit.sql's (first_month: from where `since` is looked for)
-- relations:  enriched = monthly rows
-- grain:      one row per reason that the month has, largest first
-- columns:    cost      in currency, of the month
--             since     the first billing period that has the reason
--             callers   IAM principals of the month
--             team, account   whose share of it is the largest; '' where no line names one
WITH by_team AS (
  SELECT
    reason,
    team,
    ROW_NUMBER() OVER (PARTITION BY reason ORDER BY SUM(cost) DESC, team) AS place
  FROM unallocated
  WHERE billing_period = :month AND team <> '(unallocated)'
  GROUP BY reason, team
),

by_account AS (
  SELECT
    reason,
    COALESCE(NULLIF(MAX(usage_account_name), ''), usage_account_id) AS account,
    ROW_NUMBER() OVER (PARTITION BY reason ORDER BY SUM(cost) DESC, usage_account_id) AS place
  FROM unallocated
  WHERE billing_period = :month
  GROUP BY reason, usage_account_id
)

SELECT
  u.reason,
  SUM(CASE WHEN u.billing_period = :month THEN u.cost ELSE 0 END) AS cost,
  MIN(u.billing_period) AS since,
  COUNT(
    DISTINCT CASE WHEN u.billing_period = :month THEN NULLIF(u.iam_principal, '') END
  ) AS callers,
  COALESCE(MAX(t.team), '') AS team,
  COALESCE(MAX(a.account), '') AS account
FROM unallocated AS u
LEFT JOIN by_team AS t
  ON u.reason = t.reason AND t.place = 1
LEFT JOIN by_account AS a
  ON u.reason = a.reason AND a.place = 1
GROUP BY u.reason
HAVING SUM(CASE WHEN u.billing_period = :month THEN 1 ELSE 0 END) > 0
ORDER BY cost DESC, u.reason
