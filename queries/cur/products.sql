-- Which products are Bedrock only by a name, and which does no line explain?
--
-- A product's tax, credits and refunds carry its code, but no name: they follow the lines that do.
-- parameters: billing_period  YYYY-MM, the partition
-- grain:      one row per payer account, product code and currency, of what AWS Marketplace sells
--             and of what only its service code shows to be Bedrock
-- columns:    is_bedrock    a line of the product says so by its name or its service code
--             is_named      a line of the product carries a name, whatever it is
--             line_count    CUR lines; cost in currency, as AWS wrote it. One that can't be read is
--                           0 here: the line may be of no concern, and `facts` refuses it otherwise
WITH candidates AS (
  SELECT
    COALESCE(bill_payer_account_id, '') AS payer_account_id,
    line_item_product_code AS product_code,
    COALESCE(line_item_currency_code, '') AS currency,
    COALESCE(element_at(product, 'product_name'), '') AS product_name,
    COALESCE(product_servicecode, '') AS service_code,
    TRY_CAST(CAST(line_item_unblended_cost AS VARCHAR) AS DECIMAL(38, 12)) AS cost
  FROM cur
  WHERE
    billing_period = :billing_period
    AND strpos(lower(line_item_product_code), 'bedrock') = 0
    AND (
      trim(bill_billing_entity) = 'AWS Marketplace'
      OR strpos(lower(product_servicecode), 'bedrock') > 0
    )
)

SELECT
  payer_account_id,
  product_code,
  currency,
  BOOL_OR(
    strpos(lower(product_name), 'bedrock') > 0 OR strpos(lower(service_code), 'bedrock') > 0
  ) AS is_bedrock,
  BOOL_OR(product_name <> '') AS is_named,
  COUNT(*) AS line_count,
  COALESCE(SUM(cost), 0) AS cost
FROM candidates
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
