-- Which tags, with which values, stand on how much of the bill?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per distinct tags (JSON objects)
-- columns:    cost in currency
SELECT
  tags,
  resource_tags,
  cost_category,
  SUM(cost) AS cost
FROM scope
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
