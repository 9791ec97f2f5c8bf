-- What does each identity come to? Says what the rules of who pays decide, and which decide nothing.
--
-- parameters: reads_resources   1 where a rule reads resource ids, else 0
--             is_dated          1 where a rule holds from a day or until a day, else 0
-- grain:      one row per identity (as in identities.sql), currency, and usage date where a rule
--             asks for it (NULL else)
-- columns:    cost   unblended, in currency; lines   CUR lines
SELECT
  usage_account_id,
  iam_principal,
  tags,
  resource_tags,
  cost_category,
  CASE WHEN :reads_resources = 1 THEN resource_id ELSE '' END AS resource_id,
  CASE WHEN :is_dated = 1 THEN usage_date END AS usage_date,
  currency,
  SUM(unblended_cost) AS cost,
  CAST(SUM(line_count) AS BIGINT) AS lines
FROM spend
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
