-- What did each unit use on some days, and what else does the bill hold of it?
--
-- parameters: dimension; dates: the days to tell apart, YYYY-MM-DD; and scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per billing period, currency, seller, unit and day. usage_date (UTC) is one of
--             `dates` for usage billed in that day's own month; NULL for all else: other days, tax,
--             credits, fees, discounts, and usage of an earlier month
-- columns:    cost in currency; a unit's rows of a billing period add up to its share of the bill
WITH by_day AS (
  SELECT
    billing_period,
    currency,
    billing_entity,
    unit,
    charge_category,
    usage_date,
    SUM(cost) AS cost
  FROM by_unit
  GROUP BY billing_period, currency, billing_entity, unit, charge_category, usage_date
)

SELECT
  billing_period,
  currency,
  billing_entity,
  unit,
  CASE
    WHEN
      charge_category = 'usage'
      AND usage_date >= CAST(billing_period || '-01' AS DATE)
      AND usage_date < date_add('month', 1, CAST(billing_period || '-01' AS DATE))
      AND contains(CAST(:dates AS ARRAY(VARCHAR)), CAST(usage_date AS VARCHAR))
      THEN usage_date
  END AS usage_date,
  SUM(cost) AS cost
FROM by_day
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
