-- What changed within each unit since the month before, caller by caller and meter by meter, and
-- what of it is the same caller's spend that another unit paid for?
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
--             moved                      what of the change another unit paid for the month before
--                                        (or pays now, negative), in currency; adds up to zero over
--                                        the units of `attributed`
--             moved_unallocated          the same of the caller's spend that nobody pays for
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

-- What a caller's units pay more or less, where not all of a row's dimension is looked at apart.
deltas AS (
  SELECT
    CASE WHEN :dimension = :attributed THEN '' ELSE COALESCE(unit, '') END AS part,
    caller,
    is_tokens,
    home,
    SUM(CASE WHEN billing_period = :month THEN cost ELSE -cost END) AS delta,
    SUM(CASE WHEN billing_period = :month THEN 1 ELSE 0 END) > 0 AS is_now,
    SUM(CASE WHEN billing_period = :month THEN 0 ELSE 1 END) > 0 AS was_before
  FROM by_caller
  WHERE charge_category = 'usage'
  GROUP BY 1, 2, 3, 4
),

-- Of a caller that works for several units in both months, only what nobody paid for can move.
kept AS (
  SELECT
    part,
    caller,
    is_tokens,
    SUM(CASE WHEN home <> '(unallocated)' AND is_now THEN 1 ELSE 0 END) > 1
    AND SUM(CASE WHEN home <> '(unallocated)' AND was_before THEN 1 ELSE 0 END) > 1 AS serves,
    SUM(CASE WHEN home = '(unallocated)' THEN delta ELSE 0 END) AS unpaid
  FROM deltas
  GROUP BY 1, 2, 3
),

sides AS (
  SELECT
    d.part,
    d.caller,
    d.is_tokens,
    d.home,
    CASE
      WHEN k.serves AND d.home <> '(unallocated)' AND k.unpaid >= 0 THEN 0
      ELSE GREATEST(d.delta, 0)
    END AS gain,
    CASE
      WHEN k.serves AND d.home <> '(unallocated)' AND k.unpaid <= 0 THEN 0
      ELSE GREATEST(-d.delta, 0)
    END AS loss
  FROM deltas AS d
  INNER JOIN kept AS k
    ON d.part = k.part AND d.caller = k.caller AND d.is_tokens = k.is_tokens
),

-- The largest sides are met first: nothing is divided, so that all adds up to the last digit.
met AS (
  SELECT
    *,
    LEAST(
      SUM(gain) OVER (PARTITION BY part, caller, is_tokens),
      SUM(loss) OVER (PARTITION BY part, caller, is_tokens)
    ) AS movable,
    SUM(gain) OVER (
      PARTITION BY part, caller, is_tokens ORDER BY gain DESC, home ROWS UNBOUNDED PRECEDING
    ) - gain AS gained_before,
    SUM(loss) OVER (
      PARTITION BY part, caller, is_tokens ORDER BY loss DESC, home ROWS UNBOUNDED PRECEDING
    ) - loss AS lost_before
  FROM sides
),

moves AS (
  SELECT
    part,
    caller,
    is_tokens,
    home,
    GREATEST(LEAST(gain, movable - gained_before), 0)
    - GREATEST(LEAST(loss, movable - lost_before), 0) AS moved
  FROM met
  WHERE movable > 0
),

moved_units AS (
  SELECT
    CASE WHEN :dimension = :attributed THEN home ELSE part END AS unit,
    caller,
    is_tokens,
    home,
    moved,
    SUM(CASE WHEN home = '(unallocated)' THEN moved ELSE 0 END)
      OVER (PARTITION BY part, caller, is_tokens) AS moved_unallocated
  FROM moves
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

changes AS (
  SELECT
    unit,
    charge_category,
    caller,
    is_tokens,
    model,
    token_type,
    service_tier,
    usage_type,
    cost,
    previous_cost,
    tokens,
    previous_tokens,
    0 AS moved,
    0 AS moved_unallocated
  FROM looked_at
  UNION ALL
  SELECT
    unit,
    'usage' AS charge_category,
    caller,
    is_tokens,
    '' AS model,
    '' AS token_type,
    '' AS service_tier,
    '' AS usage_type,
    0 AS cost,
    0 AS previous_cost,
    0 AS tokens,
    0 AS previous_tokens,
    moved,
    moved_unallocated
  FROM moved_units
  WHERE
    contains(CAST(:named AS ARRAY(VARCHAR)), unit)
    AND COALESCE(contains(CAST(:inside AS ARRAY(VARCHAR)), home), TRUE)
),

told_apart AS (
  SELECT
    c.*,
    CASE WHEN p.place <= CAST(:told AS INTEGER) THEN c.caller ELSE '' END AS told_caller,
    CASE WHEN p.place <= CAST(:told AS INTEGER) THEN p.caller_name ELSE '' END AS caller_name,
    COALESCE(p.place <= CAST(:told AS INTEGER) AND p.is_session, FALSE) AS is_session,
    COALESCE(r.is_new, FALSE) AS is_new,
    COALESCE(r.is_gone, FALSE) AS is_gone
  FROM changes AS c
  LEFT JOIN presence AS r ON c.caller = r.caller
  LEFT JOIN placed AS p ON c.unit = p.unit AND c.caller = p.caller
)

SELECT
  unit,
  charge_category,
  told_caller AS caller,
  caller_name,
  is_session,
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
  SUM(previous_tokens) AS previous_tokens,
  SUM(moved) AS moved,
  SUM(moved_unallocated) AS moved_unallocated
FROM told_apart
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
