-- Which model did each unit spend most on?
--
-- parameters: dimension and scope.sql's (first_month = month)
-- relations:  enriched = monthly rows
-- grain:      one row per unit
WITH ranked AS (
  SELECT
    unit,
    model,
    ROW_NUMBER() OVER (PARTITION BY unit ORDER BY SUM(cost) DESC, model) AS place
  FROM by_unit
  GROUP BY unit, model
)

SELECT
  unit,
  model AS top_model
FROM ranked
WHERE place = 1
