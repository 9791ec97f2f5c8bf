-- Which distinct identities does a billing period name? Python reads each once.
--
-- parameters: reads_resources   1 where a rule reads resource ids, else 0
-- grain: one row per usage account, IAM principal, tags, and resource where a rule reads it ('' else)
SELECT DISTINCT
  usage_account_id,
  iam_principal,
  tags,
  resource_tags,
  cost_category,
  CASE WHEN :reads_resources = 1 THEN resource_id ELSE '' END AS resource_id
FROM spend
