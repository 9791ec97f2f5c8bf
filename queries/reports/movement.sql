-- What changed within each unit since the month before, caller by caller and meter by meter?
--
-- parameters: named    the units to explain ('' where `dimension` is none)
--             inside   the units of `attributed` that are looked at; NULL for all
--             told     how many callers of each unit to tell apart: those that changed most
--             and by_caller.sql's
-- relations:  enriched = monthly or daily rows
-- grain:      one row per unit, charge category, caller and meter. Callers that are not told
--             apart, and what is not usage, have the caller ''
-- columns:    is_new, is_gone   whether the caller has no usage in scope the month before, or in
--                               this one, whoever pays
--             cost, previous_cost        in currency; tokens, previous_tokens single tokens
WITH presence AS (
  SELECT
    caller,
    caller <> '(unallocated)'
    AND SUM(CASE WHEN billing_period = :previous_month THEN 1 ELSE 0 END) = 0 AS is_new,
    caller <> '(unallocated)'
    AND SUM(CASE WHEN billing_period = :month THEN 1 ELSE 0 END) = 0 AS is_gone
  FROM by_caller
  WHERE charge_category = 'usage'
  GROUP BY caller
),

-- What is not usage has no caller and no meter.
inside_rows AS (
  SELECT
    COALESCE(unit, '') AS unit,
    billing_period,
    charge_category,
    CASE WHEN charge_category = 'usage' THEN caller ELSE '' END AS caller,
    caller_name,
    is_session,
    charge_category = 'usage' AND is_tokens AS is_tokens,
    CASE WHEN charge_category = 'usage' THEN model ELSE '' END AS model,
    CASE WHEN charge_category = 'usage' THEN token_type ELSE '' END AS token_type,
    CASE WHEN charge_category = 'usage' THEN service_tier ELSE '' END AS service_tier,
    CASE WHEN charge_category = 'usage' THEN usage_type ELSE '' END AS usage_type,
    cost,
    tokens
  FROM by_caller
  WHERE
    contains(CAST(:named AS ARRAY(VARCHAR)), COALESCE(unit, ''))
    AND COALESCE(contains(CAST(:inside AS ARRAY(VARCHAR)), home), TRUE)
),

looked_at AS (
  SELECT
    unit,
    charge_category,
    caller,
    is_tokens,
    model,
    token_type,
    service_tier,
    usage_type,
    MAX(caller_name) AS caller_name,
    BOOL_OR(is_session) AS is_session,
    SUM(CASE WHEN billing_period = :month THEN cost ELSE 0 END) AS cost,
    SUM(CASE WHEN billing_period = :month THEN 0 ELSE cost END) AS previous_cost,
    COALESCE(SUM(CASE WHEN billing_period = :month THEN tokens END), 0) AS tokens,
    COALESCE(SUM(CASE WHEN billing_period = :month THEN 0 ELSE tokens END), 0) AS previous_tokens
  FROM inside_rows
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),

placed AS (
  SELECT
    unit,
    caller,
    MAX(caller_name) AS caller_name,
    BOOL_OR(is_session) AS is_session,
    ROW_NUMBER() OVER (
      PARTITION BY unit ORDER BY SUM(ABS(cost - previous_cost)) DESC, caller
    ) AS place
  FROM looked_at
  WHERE charge_category = 'usage'
  GROUP BY unit, caller
),

told_apart AS (
  SELECT
    l.*,
    CASE WHEN p.place <= CAST(:told AS INTEGER) THEN l.caller ELSE '' END AS told_caller,
    CASE WHEN p.place <= CAST(:told AS INTEGER) THEN p.caller_name ELSE '' END AS told_name,
    COALESCE(p.place <= CAST(:told AS INTEGER) AND p.is_session, FALSE) AS told_session,
    COALESCE(r.is_new, FALSE) AS is_new,
    COALESCE(r.is_gone, FALSE) AS is_gone
  FROM looked_at AS l
  LEFT JOIN presence AS r ON l.caller = r.caller
  LEFT JOIN placed AS p ON l.unit = p.unit AND l.caller = p.caller
)

SELECT
  unit,
  charge_category,
  told_caller AS caller,
  told_name AS caller_name,
  told_session AS is_session,
  is_new,
  is_gone,
  is_tokens,
  model,
  token_type,
  service_tier,
  usage_type,
  SUM(cost) AS cost,
  SUM(previous_cost) AS previous_cost,
  SUM(tokens) AS tokens,
  SUM(previous_tokens) AS previous_tokens
FROM told_apart
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
