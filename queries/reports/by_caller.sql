-- Named step: the rows in scope of a month and the month before, each with who called and with the
-- unit that pays for it.
--
-- parameters: previous_month
--             attributed   tenant, team, project or cost_center: the dimension whose tags can move
--                          spend from one unit to another; '' for none
--             and by_unit.sql's (first_month = previous_month)
-- grain:      by_unit.sql's
-- columns:    caller       the principal; a session where a principal works for several units in
--                          both months, as a gateway does. '(unallocated)' where the bill names
--                          none, and for all of a model whose callers only became known, by more
--                          than half of its cost: they are not new
--             caller_name  how people call it; is_session: whether caller is an IAM principal as
--                          billed
--             home         the unit that pays under `attributed`; '' without
--             is_tokens    whether the meter counts tokens
WITH housed AS (
  SELECT
    *,
    CASE
      WHEN :attributed = 'tenant' THEN tenant
      WHEN :attributed = 'team' THEN team
      WHEN :attributed = 'project' THEN project
      WHEN :attributed = 'cost_center' THEN cost_center
      ELSE ''
    END AS home
  FROM by_unit
  WHERE billing_period IN (:month, :previous_month)
),

named_shares AS (
  SELECT
    model,
    billing_period,
    CAST(SUM(CASE WHEN principal = '(unallocated)' THEN 0 ELSE cost END) AS DOUBLE)
    / NULLIF(CAST(SUM(cost) AS DOUBLE), 0) AS named_share
  FROM housed
  WHERE charge_category = 'usage'
  GROUP BY model, billing_period
),

naming AS (
  SELECT
    model,
    COALESCE(
      MAX(CASE WHEN billing_period = :month THEN named_share END)
      - MAX(CASE WHEN billing_period = :previous_month THEN named_share END) > 0.5,
      FALSE
    ) AS became_known
  FROM named_shares
  GROUP BY model
),

homes AS (
  SELECT DISTINCT
    principal,
    billing_period,
    home
  FROM housed
  WHERE charge_category = 'usage' AND home NOT IN ('', '(unallocated)')
),

serving AS (
  SELECT
    principal,
    SUM(CASE WHEN billing_period = :month THEN 1 ELSE 0 END) > 1
    AND SUM(CASE WHEN billing_period = :month THEN 0 ELSE 1 END) > 1 AS serves_several
  FROM homes
  GROUP BY principal
)

SELECT
  h.*,
  h.tokens IS NOT NULL AS is_tokens,
  CASE
    WHEN h.principal = '(unallocated)' OR n.became_known THEN '(unallocated)'
    WHEN s.serves_several THEN h.iam_principal
    ELSE h.principal
  END AS caller,
  CASE
    WHEN s.serves_several THEN COALESCE(NULLIF(h.session_name, ''), h.principal_name)
    ELSE h.principal_name
  END AS caller_name,
  COALESCE(s.serves_several, FALSE) AS is_session
FROM housed AS h
LEFT JOIN naming AS n ON h.model = n.model
LEFT JOIN serving AS s ON h.principal = s.principal
