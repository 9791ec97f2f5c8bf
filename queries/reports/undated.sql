-- What belongs to no day of the month, by why?
--
-- parameters: scope.sql's (first_month = month)
-- relations:  enriched = daily rows, or those of daily_callers.sql
-- grain:      one row per kind, largest first: a charge category other than usage, or usage that
--             is 'undated', of 'another month'
-- columns:    cost in currency
WITH by_day AS (
  SELECT
    billing_period,
    usage_date,
    charge_category,
    SUM(cost) AS cost
  FROM scope
  GROUP BY billing_period, usage_date, charge_category
),

kinds AS (
  SELECT
    cost,
    CASE
      WHEN charge_category <> 'usage' THEN charge_category
      WHEN usage_date IS NULL THEN 'undated'
      WHEN
        usage_date < CAST(billing_period || '-01' AS DATE)
        OR usage_date >= date_add('month', 1, CAST(billing_period || '-01' AS DATE))
        THEN 'another month'
    END AS kind
  FROM by_day
),

sums AS (
  SELECT
    kind,
    SUM(cost) AS cost
  FROM kinds
  WHERE kind IS NOT NULL
  GROUP BY kind
)

SELECT
  kind,
  cost
FROM sums
WHERE cost <> 0
ORDER BY ABS(cost) DESC, kind
