-- Which distinct identities does a billing period name? Python reads each once.
--
-- grain: one row per usage account, IAM principal and tags
SELECT DISTINCT
  usage_account_id,
  iam_principal,
  tags,
  resource_tags,
  cost_category
FROM spend
