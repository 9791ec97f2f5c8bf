-- What does the bill hold of a month, cut so that other sources can be held against it?
--
-- parameters: since   a day (UTC); NULL for none; and scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per billing entity, product, line type, invoice and payer account
-- columns:    in currency:
--             cost              billed in the month
--             recent_cost       of it, dated on `since` or later
--             dated_elsewhere   of it, dated outside the month
--             line_count        CUR lines billed in the month
WITH dated AS (
  SELECT
    *,
    usage_date >= CAST(billing_period || '-01' AS DATE)
    AND usage_date < date_add('month', 1, CAST(billing_period || '-01' AS DATE)) AS dated_here
  FROM scope
)

SELECT
  billing_entity,
  product_code,
  product_name,
  line_item_type,
  invoice_id,
  payer_account_id,
  SUM(cost) AS cost,
  SUM(
    CASE WHEN COALESCE(usage_date >= CAST(:since AS DATE), FALSE) THEN cost ELSE 0 END
  ) AS recent_cost,
  SUM(CASE WHEN NOT dated_here THEN cost ELSE 0 END) AS dated_elsewhere,
  CAST(SUM(line_count) AS BIGINT) AS line_count
FROM dated
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
