-- What could not be read for certain: usage types, units, new product codes?
--
-- parameters: scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per product code, usage type and note, largest first
-- columns:    cost             in currency
--             is_new_product   a Bedrock product code that this program does not know
WITH judged AS (
  SELECT
    *,
    strpos(lower(product_code), 'bedrock') > 0
    AND product_code NOT IN (
      'AmazonBedrock',
      'AmazonBedrockService',
      'AmazonBedrockFoundationModels',
      'AmazonBedrockAgentCore'
    ) AS is_new_product
  FROM scope
)

SELECT
  product_code,
  usage_type,
  model,
  token_type,
  recognised,
  note,
  is_new_product,
  SUM(cost) AS cost
FROM judged
WHERE NOT recognised OR note <> '' OR is_new_product
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY cost DESC, 1, 2, 3, 4, 5, 6, 7
