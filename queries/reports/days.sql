-- What did each day cost, by unit?
--
-- parameters: dimension; named: the units to tell apart, the rest is one; and scope.sql's
-- relations:  enriched = daily rows, or those of daily_callers.sql
-- grain:      one row per usage date (UTC) and unit; '(unallocated)' stays apart,
--             NULL is all that isn't named.
--             usage_date is NULL for what belongs to no day of the month: tax, credits, fees,
--             discounts, and usage of an earlier month that is billed in this one
-- columns:    cost in currency
WITH by_day AS (
  SELECT
    billing_period,
    usage_date,
    charge_category,
    unit,
    SUM(cost) AS cost
  FROM by_unit
  GROUP BY billing_period, usage_date, charge_category, unit
)

SELECT
  CASE
    WHEN
      charge_category = 'usage'
      AND usage_date >= CAST(billing_period || '-01' AS DATE)
      AND usage_date < date_add('month', 1, CAST(billing_period || '-01' AS DATE))
      THEN usage_date
  END AS usage_date,
  CASE
    WHEN unit = '(unallocated)' OR contains(CAST(:named AS ARRAY(VARCHAR)), unit) THEN unit
  END AS unit,
  SUM(cost) AS cost
FROM by_day
GROUP BY 1, 2
ORDER BY 1, 2
