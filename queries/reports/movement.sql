-- What changed within each unit since the month before, meter by meter?
--
-- parameters: dimension, previous_month; named: the units to explain; and scope.sql's
--             (first_month = previous_month)
-- relations:  enriched = monthly rows
-- grain:      one row per unit, charge category, model, token type and tier
-- columns:    cost, previous_cost in currency; tokens, previous_tokens single tokens
SELECT
  unit,
  charge_category,
  model,
  token_type,
  service_tier,
  SUM(CASE WHEN billing_period = :month THEN cost ELSE 0 END) AS cost,
  SUM(CASE WHEN billing_period = :previous_month THEN cost ELSE 0 END) AS previous_cost,
  COALESCE(SUM(CASE WHEN billing_period = :month THEN tokens END), 0) AS tokens,
  COALESCE(SUM(CASE WHEN billing_period = :previous_month THEN tokens END), 0) AS previous_tokens
FROM by_unit
WHERE
  contains(CAST(:named AS ARRAY(VARCHAR)), unit)
  AND billing_period IN (:month, :previous_month)
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
