-- What does the bill charge each identity, day by day? Says what other rules of who pays would move.
--
-- parameters: net_payers        texts `payer account|currency`: their bill is the sum of net costs
--             excluded          product codes that are left out
--             reads_resources   1 where a rule reads resource ids, else 0
-- grain:      one row per identity (as in identities.sql), usage date (NULL for lines without one),
--             and currency
-- columns:    cost    the amount on the bill, in currency, on the payer's basis; lines   CUR lines
SELECT
  usage_account_id,
  iam_principal,
  tags,
  resource_tags,
  cost_category,
  CASE WHEN :reads_resources = 1 THEN resource_id ELSE '' END AS resource_id,
  usage_date,
  currency,
  SUM(cost) AS cost,
  CAST(SUM(line_count) AS BIGINT) AS lines
FROM billed
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
