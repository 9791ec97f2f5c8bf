-- Which single CUR lines stand behind a number?
--
-- parameters: billing_period, products   as in the step `facts`
--             identities      texts `usage account|IAM principal|tags|resource tags|categories`
--             folded_roles    what the ARNs of a role's sessions begin with, of roles of whose
--                             sessions many are kept as one: as ROLE/*, or ROLE/sdk-* for names
--                             that fit the regular expression named_by_sdk
--             kept_sessions   sessions of these roles that are kept as billed
--             meters          texts `product code|usage type|operation|line type|region|currency`
--             usage_date      one day (UTC), or NULL for all
--             page_size, page_start   rows to return, rows to pass over
-- grain:      one row per CUR line, newest first
-- columns:    unblended_cost, net_unblended_cost in currency; usage_amount in pricing_unit
WITH named AS (
  SELECT
    *,
    split_part(iam_principal, '/', 1) || '/' || COALESCE(split_part(iam_principal, '/', 2), '') || '/'
      AS role_session,
    COALESCE(split_part(iam_principal, '/', 3), '') AS session_name
  FROM facts
)

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
FROM named
WHERE
  contains(
    CAST(:identities AS ARRAY(VARCHAR)),
    usage_account_id || '|'
    || CASE
      WHEN NOT contains(CAST(:folded_roles AS ARRAY(VARCHAR)), role_session) THEN iam_principal
      WHEN contains(CAST(:kept_sessions AS ARRAY(VARCHAR)), iam_principal) THEN iam_principal
      WHEN regexp_like(session_name, :named_by_sdk) THEN role_session || 'sdk-*'
      ELSE role_session || '*'
    END
    || '|' || tags || '|' || resource_tags || '|' || cost_category
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
