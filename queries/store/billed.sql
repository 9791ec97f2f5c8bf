-- Named step: what does each row of the spend store come to on the bill, and what kind of charge is it?
--
-- parameters: net_payers   texts `payer account|currency`: their bill is the sum of net costs
--             excluded     product codes that are left out
-- grain:      the spend store's: one row in, one row out, but for excluded products
-- columns:    those of the spend store, and
--             charge_category     usage, discount, credit, refund, tax or other
--             cost                the amount on the bill, in currency, on the payer's basis
SELECT
  *,
  CASE
    WHEN
      line_item_type IN ('Usage', 'DiscountedUsage') OR strpos(line_item_type, 'SavingsPlan') = 1
      THEN 'usage'
    WHEN line_item_type LIKE '%Discount' THEN 'discount'
    WHEN line_item_type = 'Credit' THEN 'credit'
    WHEN line_item_type = 'Refund' THEN 'refund'
    WHEN line_item_type = 'Tax' THEN 'tax'
    ELSE 'other'
  END AS charge_category,
  CASE
    WHEN contains(CAST(:net_payers AS ARRAY(VARCHAR)), payer_account_id || '|' || currency)
      THEN COALESCE(
        net_unblended_cost,
        CASE WHEN line_item_type LIKE '%Discount' THEN 0 ELSE unblended_cost END
      )
    ELSE unblended_cost
  END AS cost
FROM spend
WHERE NOT contains(CAST(:excluded AS ARRAY(VARCHAR)), product_code)
