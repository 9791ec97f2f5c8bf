-- What does each invoice of a billing period come to, all services?
--
-- An invoice adds up amounts in cents: each charge, one service's lines of one type, is rounded by
-- itself.
-- parameters: billing_period  YYYY-MM
-- grain:      one row per invoice
-- columns:    in currency, cents: total; tax and discounts, parts of it
WITH charges AS (
  SELECT
    bill_invoice_id AS invoice_id,
    bill_billing_entity AS billing_entity,
    bill_invoicing_entity AS invoicing_entity,
    bill_payer_account_id AS payer_account_id,
    line_item_currency_code AS currency,
    line_item_line_item_type AS line_item_type,
    CAST(
      SUM(
        CAST(
          CAST(COALESCE(line_item_net_unblended_cost, line_item_unblended_cost) AS VARCHAR)
          AS DECIMAL(38, 12)
        )
      ) AS DECIMAL(38, 2)
    ) AS charge
  FROM cur
  WHERE billing_period = :billing_period AND bill_invoice_id <> ''
  GROUP BY 1, 2, 3, 4, 5, 6, line_item_product_code
)

SELECT
  invoice_id,
  billing_entity,
  invoicing_entity,
  payer_account_id,
  currency,
  SUM(charge) AS total,
  SUM(CASE WHEN line_item_type = 'Tax' THEN charge ELSE 0 END) AS tax,
  SUM(CASE WHEN strpos(line_item_type, 'Discount') > 0 THEN charge ELSE 0 END) AS discounts
FROM charges
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1
