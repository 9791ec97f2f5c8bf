-- What is kept of a billing period, with many sessions of a role as one?
--
-- relations: spend, session_folds = rows of folds.sql
-- grain:     the spend store's; of sessions that are kept as one, their ARN in common in place of
--            theirs. What AWS wrote no net cost of stays apart from the rest, which has one
-- columns:   those of the spend store
SELECT
  s.billing_period,
  s.usage_date,
  s.payer_account_id,
  s.usage_account_id,
  s.usage_account_name,
  s.iam_principal,
  s.tags,
  s.resource_tags,
  s.cost_category,
  s.billing_entity,
  s.product_code,
  s.product_name,
  s.usage_type,
  s.operation,
  s.region,
  s.resource_id,
  s.line_item_type,
  s.pricing_unit,
  s.description,
  s.invoice_id,
  s.legal_entity,
  s.currency,
  s.usage_amount,
  s.unblended_cost,
  s.net_unblended_cost,
  s.line_count,
  s.charged_lines,
  s.net_charged_lines,
  s.net_repeated_lines
FROM spend AS s
LEFT JOIN session_folds AS f ON s.iam_principal = f.iam_principal
WHERE f.folded IS NULL
UNION ALL
SELECT
  s.billing_period,
  s.usage_date,
  s.payer_account_id,
  s.usage_account_id,
  s.usage_account_name,
  f.folded AS iam_principal,
  s.tags,
  s.resource_tags,
  s.cost_category,
  s.billing_entity,
  s.product_code,
  s.product_name,
  s.usage_type,
  s.operation,
  s.region,
  s.resource_id,
  s.line_item_type,
  s.pricing_unit,
  s.description,
  s.invoice_id,
  s.legal_entity,
  s.currency,
  SUM(s.usage_amount) AS usage_amount,
  SUM(s.unblended_cost) AS unblended_cost,
  SUM(s.net_unblended_cost) AS net_unblended_cost,
  CAST(SUM(s.line_count) AS BIGINT) AS line_count,
  CAST(SUM(s.charged_lines) AS BIGINT) AS charged_lines,
  CAST(SUM(s.net_charged_lines) AS BIGINT) AS net_charged_lines,
  CAST(SUM(s.net_repeated_lines) AS BIGINT) AS net_repeated_lines
FROM spend AS s
INNER JOIN session_folds AS f ON s.iam_principal = f.iam_principal
GROUP BY
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
  s.net_unblended_cost IS NULL
