-- Who called, and from which day to which? Says which rows of an owner list speak of nobody.
--
-- grain:      one row per usage account and IAM principal ('' for lines without one)
-- columns:    first_day, last_day   of usage; a line without a date is of the month's first day
SELECT
  usage_account_id,
  iam_principal,
  MIN(COALESCE(usage_date, CAST(billing_period || '-01' AS DATE))) AS first_day,
  MAX(COALESCE(usage_date, CAST(billing_period || '-01' AS DATE))) AS last_day
FROM spend
GROUP BY 1, 2
