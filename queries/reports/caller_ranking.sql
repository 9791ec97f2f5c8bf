-- Which IAM principals, as billed, spent how much, compared with the month before? The largest one
-- by one, all others together: a role may have millions of sessions in a month.
--
-- parameters: longest          how many to tell apart
--             named            those to tell apart in place of the largest; NULL: the largest
--             previous_month   and scope.sql's (first_month: where `history` begins)
-- relations:  enriched = monthly rows
-- grain:      one row per IAM principal that has lines in the month or the month before, largest
--             first; then one for all others, with the unit NULL; '(unallocated)' last
-- columns:    units   how many IAM principals the row stands for
--             the others as in ranking.sql
WITH per_month AS (
  SELECT
    COALESCE(NULLIF(iam_principal, ''), '(unallocated)') AS unit,
    billing_period,
    MAX(COALESCE(NULLIF(session_name, ''), principal_name)) AS name,
    MAX(usage_account_id) AS account,
    MAX(principal_type) AS principal_type,
    SUM(cost) AS cost,
    COALESCE(SUM(tokens), 0) AS tokens,
    SUM(CASE WHEN tokens > 0 THEN cost ELSE 0 END) AS token_cost
  FROM scope
  GROUP BY 1, 2
),

units AS (
  SELECT
    unit,
    ROW_NUMBER() OVER (
      ORDER BY
        CASE WHEN unit = '(unallocated)' THEN 0 ELSE 1 END,
        ABS(SUM(CASE WHEN billing_period = :month THEN cost ELSE 0 END)) DESC,
        unit
    ) AS place
  FROM per_month
  GROUP BY unit
  HAVING
    SUM(CASE WHEN billing_period IN (:month, :previous_month) THEN 1 ELSE 0 END) > 0
),

asked AS (
  SELECT each AS unit
  FROM UNNEST(CAST(:named AS ARRAY(VARCHAR))) AS given (each)
),

shown AS (
  SELECT
    u.unit,
    CASE
      WHEN CAST(:named AS ARRAY(VARCHAR)) IS NULL THEN u.place <= CAST(:longest AS INTEGER)
      ELSE a.unit IS NOT NULL
    END AS is_told
  FROM units AS u
  LEFT JOIN asked AS a ON u.unit = a.unit
),

told AS (
  SELECT
    CASE WHEN s.is_told THEN s.unit END AS unit,
    m.billing_period,
    MAX(CASE WHEN s.is_told THEN m.name END) AS name,
    MAX(m.account) AS account,
    MAX(m.principal_type) AS principal_type,
    SUM(m.cost) AS cost,
    SUM(m.tokens) AS tokens,
    SUM(m.token_cost) AS token_cost
  FROM per_month AS m
  INNER JOIN shown AS s ON m.unit = s.unit
  GROUP BY 1, 2
),

others AS (
  SELECT COUNT(*) AS units
  FROM shown
  WHERE NOT is_told
)

SELECT
  t.unit,
  MAX(COALESCE(t.name, t.unit)) AS name,
  MAX(t.account) AS account,
  MAX(t.principal_type) AS principal_type,
  SUM(CASE WHEN t.billing_period = :month THEN t.cost ELSE 0 END) AS cost,
  SUM(CASE WHEN t.billing_period = :previous_month THEN t.cost ELSE 0 END) AS previous_cost,
  SUM(CASE WHEN t.billing_period = :month THEN t.tokens ELSE 0 END) AS tokens,
  SUM(CASE WHEN t.billing_period = :month THEN t.token_cost ELSE 0 END) AS token_cost,
  array_join(array_agg(t.billing_period || ' ' || CAST(t.cost AS VARCHAR)), ',') AS history,
  CASE WHEN t.unit IS NULL THEN MAX(o.units) ELSE 1 END AS units
FROM told AS t
CROSS JOIN others AS o
GROUP BY t.unit
ORDER BY
  CASE WHEN t.unit IS NULL THEN 1 WHEN t.unit = '(unallocated)' THEN 2 ELSE 0 END,
  cost DESC,
  unit
