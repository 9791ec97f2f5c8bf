-- Named step: the Bedrock lines of one billing period as the table has them.
--
-- Which lines are Bedrock: those with a product code or service code that contains Bedrock, whoever
-- sold them; what AWS Marketplace sells under a product name that contains Bedrock; and every line
-- of a product that is Bedrock by another line (its tax, credits and refunds carry no name).
-- parameters: billing_period  YYYY-MM, the partition: without it Athena would scan every month
--             products        texts `payer account|product code`: Bedrock by another line
-- grain:      one row per CUR line
-- columns:    tags_json   the map `tags` as a JSON object
--             the others  the table's own
SELECT
  *,
  COALESCE(json_format(CAST(tags AS JSON)), '{}') AS tags_json
FROM cur
WHERE
  billing_period = :billing_period
  AND (
    strpos(lower(line_item_product_code), 'bedrock') > 0
    OR strpos(lower(product_servicecode), 'bedrock') > 0
    OR (
      trim(bill_billing_entity) = 'AWS Marketplace'
      AND strpos(lower(element_at(product, 'product_name')), 'bedrock') > 0
    )
    OR contains(
      CAST(:products AS ARRAY(VARCHAR)),
      COALESCE(bill_payer_account_id, '') || '|' || line_item_product_code
    )
  )
