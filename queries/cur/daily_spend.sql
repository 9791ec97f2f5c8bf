-- What did Bedrock cost in one billing period, day by day, as billed?
--
-- parameters: billing_period, products   as in the step `facts`
-- grain:      one row per usage date (UTC), payer and usage account, IAM principal, tags, product,
--             usage type, operation, region, resource, line type, pricing unit, invoice, seller
-- columns:    usage_amount                          in pricing_unit
--             unblended_cost, net_unblended_cost    in currency; net is NULL where AWS filled
--                                       none of the lines; else, where a line lacks it, a discount
--                                       counts as 0 and any other line as its unblended cost
--             line_count           CUR lines in the row
--             charged_lines        of them, lines whose unblended or net cost is not zero
--             net_charged_lines    of them, lines whose net cost is not zero
--             net_repeated_lines   of them, lines whose net cost repeats their unblended cost; an
--                                  absent net cost is 0 in both
--             description    only where the usage type does not say it all: Marketplace, non-usage
--             the others     as in the step `facts`
SELECT
  billing_period,
  usage_date,
  payer_account_id,
  usage_account_id,
  usage_account_name,
  iam_principal,
  tags,
  resource_tags,
  cost_category,
  billing_entity,
  product_code,
  product_name,
  usage_type,
  operation,
  region,
  resource_id,
  line_item_type,
  pricing_unit,
  CASE
    WHEN billing_entity = 'AWS Marketplace' OR line_item_type <> 'Usage' THEN description ELSE ''
  END AS description,
  invoice_id,
  legal_entity,
  currency,
  COALESCE(SUM(usage_amount), 0) AS usage_amount,
  COALESCE(SUM(unblended_cost), 0) AS unblended_cost,
  CASE
    WHEN COUNT(net_unblended_cost) > 0
      THEN SUM(
        COALESCE(
          net_unblended_cost,
          CASE WHEN line_item_type LIKE '%Discount' THEN 0 ELSE unblended_cost END
        )
      )
  END AS net_unblended_cost,
  COUNT(*) AS line_count,
  COUNT(
    CASE WHEN unblended_cost <> 0 OR COALESCE(net_unblended_cost, 0) <> 0 THEN 1 END
  ) AS charged_lines,
  COUNT(
    CASE WHEN COALESCE(net_unblended_cost, 0) <> 0 THEN 1 END
  ) AS net_charged_lines,
  COUNT(
    CASE WHEN COALESCE(net_unblended_cost, 0) = unblended_cost THEN 1 END
  ) AS net_repeated_lines
FROM facts
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
