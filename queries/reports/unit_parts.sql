-- What is each unit's spend made of: its largest parts, and all others together?
--
-- parameters: dimension, part   what is charged, and what it is split by: principal, model or
--                               token_type
--             longest           how many parts of a unit stand by themselves
--             and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per currency, unit and part, largest first; then '', all others together,
--             and '(unallocated)'
-- columns:    name      how people call the part
--             parts     how many it stands for
--             cost      in currency, exact: adds up to the unit's lines
--             tokens    single tokens; token_cost the cost of the lines that are tokens
WITH split AS (
  SELECT
    currency,
    unit,
    CASE
      WHEN :part = 'principal' THEN principal
      WHEN :part = 'model' THEN model
      WHEN :part = 'token_type' THEN token_type
    END AS part,
    CASE WHEN :part = 'principal' THEN MAX(principal_name) END AS name,
    SUM(cost) AS cost,
    COALESCE(SUM(tokens), 0) AS tokens,
    SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost
  FROM by_unit
  GROUP BY 1, 2, 3
),

placed AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY currency, unit
      ORDER BY CASE WHEN part = '(unallocated)' THEN 1 ELSE 0 END, cost DESC, part
    ) AS place
  FROM split
),

folded AS (
  SELECT
    *,
    CASE WHEN place <= :longest OR part = '(unallocated)' THEN part ELSE '' END AS shown
  FROM placed
)

SELECT
  currency,
  unit,
  shown AS part,
  CASE WHEN shown = '' THEN '' ELSE MAX(COALESCE(name, shown)) END AS name,
  COUNT(*) AS parts,
  SUM(cost) AS cost,
  SUM(tokens) AS tokens,
  SUM(token_cost) AS token_cost
FROM folded
GROUP BY currency, unit, shown
ORDER BY
  currency,
  unit,
  CASE WHEN shown = '(unallocated)' THEN 2 WHEN shown = '' THEN 1 ELSE 0 END,
  cost DESC,
  part
