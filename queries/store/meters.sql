-- Which distinct meters does a billing period name? Python reads each once.
--
-- grain:   one row per billing entity, product, usage type, unit, description, operation, line type
-- columns: rate   dollars per unit of all dollar lines of the product, usage type and unit; NULL
--                 without any. It tells the size of a unit that names none, in any currency.
--          lines  CUR lines; unblended_cost in whatever currencies the period has
WITH priced AS (
  SELECT
    product_code,
    usage_type,
    pricing_unit,
    CASE
      WHEN SUM(usage_amount) <> 0
        THEN CAST(SUM(unblended_cost) AS DOUBLE) / CAST(SUM(usage_amount) AS DOUBLE)
    END AS rate
  FROM spend
  WHERE currency = 'USD' AND line_item_type = 'Usage'
  GROUP BY product_code, usage_type, pricing_unit
),

meters AS (
  SELECT
    billing_entity,
    product_code,
    product_name,
    usage_type,
    pricing_unit,
    description,
    operation,
    line_item_type,
    CAST(SUM(line_count) AS BIGINT) AS lines,
    SUM(unblended_cost) AS unblended_cost
  FROM spend
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)

SELECT
  m.*,
  p.rate
FROM meters AS m
LEFT JOIN priced AS p
  ON
    m.product_code = p.product_code
    AND m.usage_type = p.usage_type
    AND m.pricing_unit = p.pricing_unit
