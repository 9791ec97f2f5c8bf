-- What does one billing period of the spend store hold?
--
-- grain:   one row per payer account, product code and currency
-- columns: unblended_total, net_total   in currency; net where AWS filled it, else unblended
--          lines_read                   CUR lines; rows_kept: rows of the store
--          has_principals               any line names its IAM principal
SELECT
  payer_account_id,
  product_code,
  MAX(product_name) AS product_name,
  currency,
  SUM(unblended_cost) AS unblended_total,
  SUM(COALESCE(net_unblended_cost, unblended_cost)) AS net_total,
  CAST(SUM(line_count) AS BIGINT) AS lines_read,
  COUNT(*) AS rows_kept,
  COALESCE(BOOL_OR(iam_principal <> ''), FALSE) AS has_principals,
  MAX(usage_date) AS newest_usage_date
FROM spend
GROUP BY payer_account_id, product_code, currency
ORDER BY payer_account_id, product_code, currency
