-- Who or what spent how much, compared with the month before?
--
-- parameters: dimension, previous_month   and scope.sql's (first_month: where `history` begins)
-- relations:  enriched = monthly or daily rows, or those of monthly_principals.sql or
--             daily_callers.sql
-- grain:      one row per unit that has lines in the month or the month before; largest first,
--             '(unallocated)' last
-- columns:    cost, previous_cost, token_cost   in currency; tokens single tokens
--             history       'YYYY-MM cost' of each month, with commas between, in no order
WITH per_month AS (
  SELECT
    unit,
    billing_period,
    MAX(name) AS name,
    MAX(usage_account_id) AS account,
    MAX(principal_type) AS principal_type,
    SUM(cost) AS cost,
    COALESCE(SUM(tokens), 0) AS tokens,
    SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost
  FROM by_unit
  GROUP BY unit, billing_period
)

SELECT
  unit,
  MAX(COALESCE(name, unit)) AS name,
  MAX(account) AS account,
  MAX(principal_type) AS principal_type,
  SUM(CASE WHEN billing_period = :month THEN cost ELSE 0 END) AS cost,
  SUM(CASE WHEN billing_period = :previous_month THEN cost ELSE 0 END) AS previous_cost,
  SUM(CASE WHEN billing_period = :month THEN tokens ELSE 0 END) AS tokens,
  SUM(CASE WHEN billing_period = :month THEN token_cost ELSE 0 END) AS token_cost,
  array_join(array_agg(billing_period || ' ' || CAST(cost AS VARCHAR)), ',') AS history
FROM per_month
GROUP BY unit
HAVING
  SUM(CASE WHEN billing_period IN (:month, :previous_month) THEN 1 ELSE 0 END) > 0
ORDER BY
  CASE WHEN unit = '(unallocated)' THEN 1 ELSE 0 END,
  cost DESC,
  unit
