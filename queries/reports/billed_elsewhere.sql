-- What is dated in a month, but billed in another?
--
-- parameters: dated_in   YYYY-MM; and scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per billing entity, product, line type and payer account
-- columns:    billed_elsewhere   in currency
SELECT
  billing_entity,
  product_code,
  product_name,
  line_item_type,
  payer_account_id,
  SUM(cost) AS billed_elsewhere
FROM scope
WHERE
  billing_period <> :dated_in
  AND usage_date >= CAST(:dated_in || '-01' AS DATE)
  AND usage_date < date_add('month', 1, CAST(:dated_in || '-01' AS DATE))
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
