-- What do the Bedrock lines of one billing period come to?
--
-- parameters: billing_period, products   as in the step `facts`
-- grain:      one row per payer account and currency
-- columns:    line_count       CUR lines
--             unblended_cost   in currency
SELECT
  payer_account_id,
  currency,
  COUNT(*) AS line_count,
  SUM(unblended_cost) AS unblended_cost
FROM facts
GROUP BY 1, 2
ORDER BY 1, 2
