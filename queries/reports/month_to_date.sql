-- At what pace did this month and the month before spend?
--
-- parameters: complete_days   how many days of the month are all there; and scope.sql's
-- relations:  enriched = daily rows, or those of daily_callers.sql
-- grain:      one row per billing period
-- columns:    in currency: to_date   usage dated on those days
--                          since     usage dated on later days of the month
--                          in_step   tax and discounts, which grow with usage
--             tokens_to_date           single tokens of the usage dated on those days
WITH by_day AS (
  SELECT
    billing_period,
    usage_date,
    charge_category,
    SUM(cost) AS cost,
    SUM(tokens) AS tokens
  FROM scope
  GROUP BY billing_period, usage_date, charge_category
),

dated AS (
  SELECT
    *,
    CAST(billing_period || '-01' AS DATE) AS first_day,
    date_add('day', :complete_days, CAST(billing_period || '-01' AS DATE)) AS end_day
  FROM by_day
)

SELECT
  billing_period,
  SUM(
    CASE
      WHEN charge_category = 'usage' AND usage_date >= first_day AND usage_date < end_day
        THEN cost
      ELSE 0
    END
  ) AS to_date,
  SUM(
    CASE WHEN charge_category = 'usage' AND usage_date >= end_day THEN cost ELSE 0 END
  ) AS since,
  COALESCE(SUM(
    CASE
      WHEN charge_category = 'usage' AND usage_date >= first_day AND usage_date < end_day
        THEN tokens
    END
  ), 0) AS tokens_to_date,
  SUM(CASE WHEN charge_category IN ('tax', 'discount') THEN cost ELSE 0 END) AS in_step
FROM dated
GROUP BY billing_period
ORDER BY billing_period
