-- Named step: the charges of an export the way Cost Explorer counts them, all services.
--
-- A charge belongs to its billing period; where it is dated outside, it counts on the period's
-- first or last day. Tax is a service of its own, whatever was taxed. Record types have Cost
-- Explorer's names.
-- parameters: start_date, end_date   YYYY-MM-DD, half-open
--             known_until            when the newest month's data ends (UTC)
--             newest_month           YYYY-MM
-- grain:      one row per CUR line
-- columns:    unblended_cost, net_unblended_cost in currency; net is unblended where AWS filled none
WITH dated AS (
  SELECT
    *,
    CAST(billing_period || '-01' AS DATE) AS first_day,
    CAST(date_add('day', -1, date_add('month', 1, CAST(billing_period || '-01' AS DATE))) AS DATE) AS last_day,
    CAST(line_item_usage_start_date AS DATE) AS usage_date
  FROM cur
  WHERE
    billing_period >= SUBSTR(:start_date, 1, 7)
    AND billing_period <= SUBSTR(:end_date, 1, 7)
    AND (
      billing_period < :newest_month OR line_item_usage_start_date < CAST(:known_until AS TIMESTAMP)
    )
),

charges AS (
  SELECT
    GREATEST(LEAST(usage_date, last_day), first_day) AS charge_date,
    CASE
      WHEN line_item_line_item_type = 'Tax' THEN 'Tax'
      ELSE COALESCE(element_at(product, 'product_name'), line_item_product_code)
    END AS service,
    CASE line_item_line_item_type
      WHEN 'EdpDiscount' THEN 'Enterprise Discount Program Discount'
      WHEN 'PrivateRateDiscount' THEN 'Private Rate Card Discount'
      WHEN 'BundledDiscount' THEN 'Bundled Discount'
      ELSE line_item_line_item_type
    END AS record_type,
    line_item_usage_account_id AS linked_account,
    bill_billing_entity AS billing_entity,
    bill_invoicing_entity AS invoicing_entity,
    line_item_legal_entity AS legal_entity,
    line_item_currency_code AS currency,
    tags,
    COALESCE(bill_invoice_id, '') AS invoice_id,
    CAST(CAST(line_item_unblended_cost AS VARCHAR) AS DECIMAL(38, 12)) AS unblended_cost,
    CAST(
      CAST(COALESCE(line_item_net_unblended_cost, line_item_unblended_cost) AS VARCHAR) AS DECIMAL(38, 12)
    ) AS net_unblended_cost
  FROM dated
)

SELECT *
FROM charges
WHERE charge_date >= CAST(:start_date AS DATE) AND charge_date < CAST(:end_date AS DATE)
