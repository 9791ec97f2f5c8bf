-- What does one billing period of the spend store hold?
--
-- grain:   one row per currency
-- columns: unblended_total, net_total   in currency; net where AWS filled it, else unblended
--          lines_read                   CUR lines
--          rows_kept                    rows of the store
--          has_discount_lines           discounts come as lines of their own
--          has_net_costs                AWS filled net costs
--          has_principals               any line names its IAM principal
--          not_invoiced                 lines without an invoice id
SELECT
  currency,
  SUM(unblended_cost) AS unblended_total,
  SUM(COALESCE(net_unblended_cost, unblended_cost)) AS net_total,
  CAST(SUM(line_count) AS BIGINT) AS lines_read,
  COUNT(*) AS rows_kept,
  COALESCE(
    BOOL_OR(
      line_item_type IN ('EdpDiscount', 'PrivateRateDiscount', 'BundledDiscount', 'Discount')
    ),
    FALSE
  ) AS has_discount_lines,
  COALESCE(BOOL_OR(net_unblended_cost <> 0), FALSE) AS has_net_costs,
  COALESCE(BOOL_OR(iam_principal <> ''), FALSE) AS has_principals,
  CAST(SUM(CASE WHEN invoice_id = '' THEN line_count ELSE 0 END) AS BIGINT) AS not_invoiced,
  MAX(usage_date) AS newest_usage_date
FROM spend
GROUP BY currency
ORDER BY currency
