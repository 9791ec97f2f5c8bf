-- Which distinct meters does a billing period name? Python reads each once.
--
-- grain:   one row per billing entity, product, usage type, unit, description, operation, line type
-- columns: usage_amount in pricing_unit; unblended_cost in currency (their ratio is the rate)
SELECT
  billing_entity,
  product_code,
  product_name,
  usage_type,
  pricing_unit,
  description,
  operation,
  line_item_type,
  SUM(usage_amount) AS usage_amount,
  SUM(unblended_cost) AS unblended_cost
FROM spend
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
