-- What of a change within a unit did another unit pay for the month before, of the same caller?
--
-- parameters: by_caller.sql's
-- relations:  enriched = monthly or daily rows
-- grain:      one row per unit, caller, unit of `attributed` (home) and whether its meters count
--             tokens; only where something moved
-- columns:    moved               in currency; negative for what another unit pays for now. Adds up
--                                 to zero over the units of `attributed`
--             moved_unallocated   the same of the caller's spend that nobody pays for
-- What a caller's units pay more or less, where not all of a row's dimension is looked at apart.
WITH deltas AS (
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
)

SELECT
  unit,
  caller,
  is_tokens,
  home,
  SUM(moved) AS moved,
  SUM(moved_unallocated) AS moved_unallocated
FROM moved_units
WHERE moved <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
