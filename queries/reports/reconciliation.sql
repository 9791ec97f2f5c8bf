-- What does the bill hold of a month, cut so that other sources can be held against it?
--
-- parameters: month, currency
--             since             a day (UTC); NULL for none
-- relations:  enriched = daily rows
-- grain:      one row per billing entity, product, line type, invoice and payer account
-- columns:    in currency:
--             cost              billed in the month
--             recent_cost       of it, dated on `since` or later
--             dated_elsewhere   of it, dated outside the month
--             billed_elsewhere  dated in the month, but billed in another month of the store
--             line_count        CUR lines billed in the month
-- Two halves, for no engine leaves out the files of other months where a row may be in either.
WITH dated AS (
  SELECT
    *,
    TRUE AS billed_here,
    usage_date >= CAST(:month || '-01' AS DATE)
    AND usage_date < date_add('month', 1, CAST(:month || '-01' AS DATE)) AS dated_here
  FROM enriched
  WHERE currency = :currency AND billing_period = :month
  UNION ALL
  SELECT
    *,
    FALSE AS billed_here,
    TRUE AS dated_here
  FROM enriched
  WHERE
    currency = :currency
    AND billing_period <> :month
    AND usage_date >= CAST(:month || '-01' AS DATE)
    AND usage_date < date_add('month', 1, CAST(:month || '-01' AS DATE))
)

SELECT
  billing_entity,
  product_code,
  product_name,
  line_item_type,
  CASE WHEN billed_here THEN invoice_id ELSE '' END AS invoice_id,
  payer_account_id,
  SUM(CASE WHEN billed_here THEN cost ELSE 0 END) AS cost,
  SUM(
    CASE WHEN billed_here AND COALESCE(usage_date >= CAST(:since AS DATE), FALSE) THEN cost ELSE 0 END
  ) AS recent_cost,
  SUM(CASE WHEN billed_here AND NOT dated_here THEN cost ELSE 0 END) AS dated_elsewhere,
  SUM(CASE WHEN NOT billed_here THEN cost ELSE 0 END) AS billed_elsewhere,
  CAST(SUM(CASE WHEN billed_here THEN line_count ELSE 0 END) AS BIGINT) AS line_count
FROM dated
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
