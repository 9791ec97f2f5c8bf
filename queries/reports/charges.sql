-- What is each unit charged, before rounding?
--
-- parameters: dimension and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per currency and unit; '(unallocated)' last in its currency
-- columns:    all amounts in currency, exact. discount_amount holds the discount lines and what the
--             net basis takes off; the parts add up to the unit's share of the bill
--             cost_centers    how many cost centers the unit's lines carry; cost_center: one
SELECT
  currency,
  unit,
  COUNT(DISTINCT NULLIF(cost_center, '(unallocated)')) AS cost_centers,
  COALESCE(MAX(NULLIF(cost_center, '(unallocated)')), '') AS cost_center,
  SUM(CASE WHEN charge_category = 'usage' THEN unblended_cost ELSE 0 END) AS usage_cost,
  SUM(CASE WHEN charge_category = 'discount' THEN unblended_cost ELSE 0 END)
  + SUM(cost - unblended_cost) AS discount_amount,
  SUM(CASE WHEN charge_category = 'credit' THEN unblended_cost ELSE 0 END) AS credit_amount,
  SUM(CASE WHEN charge_category = 'refund' THEN unblended_cost ELSE 0 END) AS refund_amount,
  SUM(CASE WHEN charge_category = 'tax' THEN unblended_cost ELSE 0 END) AS tax_amount,
  SUM(CASE WHEN charge_category = 'other' THEN unblended_cost ELSE 0 END) AS other_amount,
  SUM(cost) AS total_charge
FROM by_unit
GROUP BY currency, unit
ORDER BY currency, CASE WHEN unit = '(unallocated)' THEN 1 ELSE 0 END, unit
