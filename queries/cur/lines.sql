-- Which single CUR lines stand behind a number?
--
-- parameters: billing_period, products   as in the step `facts`
--             identities      texts `usage account|IAM principal|tags|resource tags|categories`
--             meters          texts `product code|usage type|operation|line type|region|currency`
--             usage_date      one day (UTC), or NULL for all
--             page_size, page_start   rows to return, rows to pass over
-- grain:      one row per CUR line, newest first
-- columns:    unblended_cost, net_unblended_cost in currency; usage_amount in pricing_unit
SELECT
  usage_start,
  usage_end,
  payer_account_id,
  usage_account_id,
  iam_principal,
  product_code,
  product_name,
  usage_type,
  operation,
  region,
  resource_id,
  line_item_type,
  description,
  invoice_id,
  tags,
  usage_amount,
  pricing_unit,
  unblended_cost,
  net_unblended_cost,
  currency,
  identity_line_item_id
FROM facts
WHERE
  contains(
    CAST(:identities AS ARRAY(VARCHAR)),
    usage_account_id || '|' || iam_principal || '|' || tags || '|' || resource_tags || '|' || cost_category
  )
  AND contains(
    CAST(:meters AS ARRAY(VARCHAR)),
    product_code || '|' || usage_type || '|' || operation || '|' || line_item_type || '|' || region
    || '|' || currency
  )
  AND COALESCE(usage_date = CAST(:usage_date AS DATE), TRUE)
ORDER BY usage_start DESC, unblended_cost DESC, identity_line_item_id
OFFSET :page_start
LIMIT :page_size
