-- Named step: the Bedrock lines of one billing period, whoever sold them and whatever their type,
-- typed once for every statement that reads them.
--
-- parameters: billing_period, products   as in the step `bedrock`
-- grain:      one row per CUR line
-- Absent text is ''. Tag maps are JSON objects; the two older maps count only where `tags` is empty.
-- Trino sorts the keys of a map when it formats it, DuckDB leaves them as they lie in the file; to
-- sort them here too would triple the time of reading a bill. What is told of a tag is the same.
-- Costs are doubles in CUR: through text they become the decimal that AWS wrote, where a direct
-- cast would keep the double's binary noise. A line without a cost costs 0; net costs and amounts
-- that are absent stay NULL.
SELECT
  billing_period AS billing_period,
  identity_line_item_id,
  CAST(line_item_usage_start_date AS TIMESTAMP) AS usage_start,
  CAST(line_item_usage_end_date AS TIMESTAMP) AS usage_end,
  CAST(line_item_usage_start_date AS DATE) AS usage_date,
  COALESCE(bill_payer_account_id, '') AS payer_account_id,
  COALESCE(line_item_usage_account_id, '') AS usage_account_id,
  COALESCE(line_item_usage_account_name, '') AS usage_account_name,
  COALESCE(line_item_iam_principal, '') AS iam_principal,
  tags_json AS tags,
  CASE
    WHEN tags_json = '{}' THEN COALESCE(json_format(CAST(resource_tags AS JSON)), '{}') ELSE '{}'
  END AS resource_tags,
  CASE
    WHEN tags_json = '{}' THEN COALESCE(json_format(CAST(cost_category AS JSON)), '{}') ELSE '{}'
  END AS cost_category,
  COALESCE(trim(bill_billing_entity), '') AS billing_entity,
  COALESCE(line_item_product_code, '') AS product_code,
  COALESCE(element_at(product, 'product_name'), '') AS product_name,
  COALESCE(line_item_usage_type, '') AS usage_type,
  COALESCE(line_item_operation, '') AS operation,
  COALESCE(product_region_code, '') AS region,
  COALESCE(line_item_resource_id, '') AS resource_id,
  COALESCE(line_item_line_item_type, '') AS line_item_type,
  COALESCE(line_item_line_item_description, '') AS description,
  COALESCE(pricing_unit, '') AS pricing_unit,
  COALESCE(bill_invoice_id, '') AS invoice_id,
  COALESCE(line_item_legal_entity, '') AS legal_entity,
  COALESCE(line_item_currency_code, '') AS currency,
  CAST(CAST(line_item_usage_amount AS VARCHAR) AS DECIMAL(38, 12)) AS usage_amount,
  CAST(COALESCE(CAST(line_item_unblended_cost AS VARCHAR), '0') AS DECIMAL(38, 12)) AS unblended_cost,
  CAST(CAST(line_item_net_unblended_cost AS VARCHAR) AS DECIMAL(38, 12)) AS net_unblended_cost
FROM bedrock
