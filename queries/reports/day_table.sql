-- What did each day in scope cost?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per usage date (UTC), newest first
-- columns:    cost = usage_cost + other_cost (tax, fees, credits, refunds, discounts); token_cost;
--             all in currency; tokens single tokens; line_count CUR lines
SELECT
  usage_date,
  SUM(cost) AS cost,
  SUM(CASE WHEN charge_category = 'usage' THEN cost ELSE 0 END) AS usage_cost,
  SUM(CASE WHEN charge_category = 'usage' THEN 0 ELSE cost END) AS other_cost,
  COALESCE(SUM(tokens), 0) AS tokens,
  SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost,
  CAST(SUM(line_count) AS BIGINT) AS line_count
FROM scope
GROUP BY usage_date
ORDER BY usage_date DESC
