-- Which payer accounts does an export bill in one billing period?
--
-- parameters: billing_period  YYYY-MM
-- grain:      one row per payer account
SELECT DISTINCT
  COALESCE(bill_payer_account_id, '') AS payer_account_id
FROM cur
WHERE billing_period = :billing_period
ORDER BY 1
