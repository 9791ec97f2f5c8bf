-- Which model did each unit spend most on?
--
-- parameters: named   the units that are asked about; NULL for all
--             dimension and scope.sql's (first_month = month)
-- relations:  enriched = monthly rows
-- grain:      one row per unit
WITH ranked AS (
  SELECT
    unit,
    model,
    ROW_NUMBER() OVER (PARTITION BY unit ORDER BY SUM(cost) DESC, model) AS place
  FROM by_unit
  WHERE
    CAST(:named AS ARRAY(VARCHAR)) IS NULL
    OR unit IN (SELECT each FROM UNNEST(CAST(:named AS ARRAY(VARCHAR))) AS given (each))
  GROUP BY unit, model
)

SELECT
  unit,
  model AS top_model
FROM ranked
WHERE place = 1
