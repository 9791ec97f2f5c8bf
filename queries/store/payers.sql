-- What does a billing period come to for each payer account, and how does it say its discounts?
--
-- parameters: excluded   product codes that are left out
-- grain:      one row per payer account and currency
-- columns:    in currency:
--             unblended_total   Σ unblended cost
--             net_total         Σ net cost; an absent one is 0 for a discount, else the unblended
--             taken_off_by_net_costs        of lines that are no discounts themselves
--             taken_off_by_discount_lines   at unblended cost
--             CUR lines:
--             discount_lines, discount_net_lines (their net cost is not zero),
--             discount_repeated_lines (their net cost repeats the unblended one)
--             net_rows          rows of the store in which AWS filled any net cost
--             not_invoiced      lines that cost something and carry no invoice id
WITH bill AS (
  SELECT
    *,
    line_item_type LIKE '%Discount' AS is_discount,
    COALESCE(
      net_unblended_cost, CASE WHEN line_item_type LIKE '%Discount' THEN 0 ELSE unblended_cost END
    ) AS net_cost
  FROM spend
  WHERE NOT contains(CAST(:excluded AS ARRAY(VARCHAR)), product_code)
)

SELECT
  payer_account_id,
  currency,
  SUM(unblended_cost) AS unblended_total,
  SUM(net_cost) AS net_total,
  SUM(CASE WHEN is_discount THEN 0 ELSE unblended_cost - net_cost END) AS taken_off_by_net_costs,
  SUM(CASE WHEN is_discount THEN 0 - unblended_cost ELSE 0 END) AS taken_off_by_discount_lines,
  CAST(SUM(CASE WHEN is_discount THEN line_count ELSE 0 END) AS BIGINT) AS discount_lines,
  CAST(SUM(
    CASE
      WHEN is_discount
        THEN COALESCE(net_charged_lines, CASE WHEN net_cost <> 0 THEN line_count ELSE 0 END)
      ELSE 0
    END
  ) AS BIGINT) AS discount_net_lines,
  CAST(SUM(
    CASE
      WHEN is_discount
        THEN COALESCE(
          net_repeated_lines, CASE WHEN net_cost = unblended_cost THEN line_count ELSE 0 END
        )
      ELSE 0
    END
  ) AS BIGINT) AS discount_repeated_lines,
  COUNT(net_unblended_cost) AS net_rows,
  CAST(SUM(
    CASE WHEN invoice_id = '' THEN COALESCE(charged_lines, line_count) ELSE 0 END
  ) AS BIGINT) AS not_invoiced
FROM bill
GROUP BY payer_account_id, currency
ORDER BY payer_account_id, currency
