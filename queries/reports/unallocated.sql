-- Named step: the rows that nobody pays for under one dimension, each with the one reason why.
--
-- parameters: by_unit.sql's
-- relations:  enriched = monthly rows
-- grain:      by_unit.sql's
-- columns:    reason   of a line that names no caller: discount, tax, credit, refund, fee (all that
--                      is not usage and none of these), default-project (the account's default
--                      Bedrock project), before-callers (a meter that names callers on other lines
--                      of the month, or a month that names none), meter (one that never does);
--                      of others: default-project, gateway (a role through which many callers
--                      come), api-key, blank-tag, no-tag; of either, for tenants:
--                      internal-use (usage that a team pays for)
WITH calling_meters AS (
  SELECT DISTINCT
    billing_period,
    usage_type
  FROM by_unit
  WHERE iam_principal <> ''
),

calling_months AS (
  SELECT DISTINCT billing_period
  FROM calling_meters
)

SELECT
  u.*,
  CASE
    WHEN u.iam_principal = '' AND u.charge_category IN ('discount', 'tax', 'credit', 'refund')
      THEN u.charge_category
    WHEN u.iam_principal = '' AND u.charge_category <> 'usage' THEN 'fee'
    WHEN :dimension = 'tenant' AND u.team <> '(unallocated)' THEN 'internal-use'
    WHEN u.is_default_project THEN 'default-project'
    WHEN u.iam_principal = '' AND (c.usage_type IS NOT NULL OR m.billing_period IS NULL)
      THEN 'before-callers'
    WHEN u.iam_principal = '' THEN 'meter'
    WHEN u.is_gateway THEN 'gateway'
    WHEN u.principal_type = 'Bedrock API key' THEN 'api-key'
    WHEN strpos(u.blank_tags, ',' || :dimension || ',') > 0 THEN 'blank-tag'
    ELSE 'no-tag'
  END AS reason
FROM by_unit AS u
LEFT JOIN calling_meters AS c
  ON u.billing_period = c.billing_period AND u.usage_type = c.usage_type
LEFT JOIN calling_months AS m
  ON u.billing_period = m.billing_period
WHERE u.unit = '(unallocated)'
