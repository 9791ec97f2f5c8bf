-- Which lines of a month differ between two readings of the bill, and why?
--
-- parameters: columns   the columns that tell lines apart, of those from payer_account_id to
--             cost_center: the others are ''
-- relations:  compared = rows of compared_lines.sql
-- grain:      one row per cause, line, whether it was taken over, currency, unit, charge category
--             and what tells lines apart
-- columns:    cause   attribution (who pays changed, what is paid did not), late usage, rate,
--                     credit, refund, tax, discount, other, unchanged
--             line    0; or the number of a line of which both changed at once, with the cause of
--                     what is paid: who pays more or less by which is still to be said
--             is_taken_over   whether both changed, and one payer has all of the line now
--             closed_…, current_…   cost, unblended_cost in currency, exact; tokens single tokens
--             moved_…         the same, had only the payers of what is taken over changed
WITH numbered AS (
  SELECT
    *,
    DENSE_RANK() OVER (
      ORDER BY
        usage_date, payer_account_id, usage_account_id, billing_entity, legal_entity, product_code,
        usage_type, operation, region, line_item_type, pricing_unit, currency, iam_principal,
        resource_id
    ) AS line,
    DENSE_RANK() OVER (
      ORDER BY
        usage_date, payer_account_id, usage_account_id, billing_entity, legal_entity, product_code,
        usage_type, operation, region, line_item_type, pricing_unit, currency
    ) AS meter
  FROM compared
  WHERE more_cost <> 0 OR more_unblended_cost <> 0 OR more_tokens <> 0
),

-- What a line comes to with all its payers: tags that AWS fills in later leave it as it was.
whole_lines AS (
  SELECT
    line,
    COUNT(*) AS payers,
    SUM(was_there) AS was_there,
    SUM(is_there) AS is_there,
    SUM(closed_cost) AS closed_cost,
    SUM(closed_unblended_cost) AS closed_unblended_cost,
    SUM(closed_tokens) AS closed_tokens,
    SUM(more_cost) AS more_cost,
    SUM(more_unblended_cost) AS more_unblended_cost,
    SUM(more_tokens) AS more_tokens,
    SUM(more_usage) AS more_usage
  FROM numbered
  GROUP BY line
),

-- And with all callers and resources of a meter and day, for AWS may fill them in later, too.
meters AS (
  SELECT
    meter,
    SUM(more_cost) AS more_cost,
    SUM(more_unblended_cost) AS more_unblended_cost,
    SUM(more_tokens) AS more_tokens,
    SUM(more_usage) AS more_usage
  FROM numbered
  GROUP BY meter
),

explained AS (
  SELECT
    n.*,
    CASE WHEN n.is_there = 1 THEN l.closed_cost ELSE 0 END AS moved_cost,
    CASE WHEN n.is_there = 1 THEN l.closed_unblended_cost ELSE 0 END AS moved_unblended_cost,
    CASE WHEN n.is_there = 1 THEN l.closed_tokens ELSE 0 END AS moved_tokens,
    CASE
      WHEN l.payers = 1 OR l.was_there = 0 OR l.is_there = 0 THEN 'none'
      WHEN l.is_there = 1 AND l.payers = l.was_there + 1 THEN 'all'
      ELSE 'some'
    END AS moved_part,
    CASE
      WHEN
        l.more_cost = 0 AND l.more_unblended_cost = 0 AND l.more_tokens = 0 AND l.more_usage = 0
        THEN 'attribution'
      WHEN
        m.more_cost = 0 AND m.more_unblended_cost = 0 AND m.more_tokens = 0 AND m.more_usage = 0
        THEN 'attribution'
      WHEN n.charge_category <> 'usage' THEN n.charge_category
      WHEN l.more_usage <> 0 OR l.was_there = 0 OR l.is_there = 0 THEN 'late usage'
      WHEN l.more_unblended_cost <> 0 THEN 'rate'
      WHEN l.more_cost <> 0 THEN 'discount'
      ELSE 'other'
    END AS cause
  FROM numbered AS n
  INNER JOIN whole_lines AS l ON n.line = l.line
  INNER JOIN meters AS m ON n.meter = m.meter
),

told AS (
  SELECT * FROM explained
  UNION ALL
  SELECT
    *,
    0 AS line,
    0 AS meter,
    0 AS moved_cost,
    0 AS moved_unblended_cost,
    0 AS moved_tokens,
    'none' AS moved_part,
    'unchanged' AS cause
  FROM compared
  WHERE more_cost = 0 AND more_unblended_cost = 0 AND more_tokens = 0
)

SELECT
  cause,
  CASE WHEN moved_part = 'some' AND cause <> 'attribution' THEN line ELSE 0 END AS line,
  moved_part = 'all' AND cause <> 'attribution' AS is_taken_over,
  currency,
  unit,
  charge_category,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'payer_account_id') THEN payer_account_id ELSE '' END
    AS payer_account_id,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'legal_entity') THEN legal_entity ELSE '' END
    AS legal_entity,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'product_code') THEN product_code ELSE '' END
    AS product_code,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'usage_account_id') THEN usage_account_id ELSE '' END
    AS usage_account_id,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'usage_type') THEN usage_type ELSE '' END
    AS usage_type,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'region') THEN region ELSE '' END AS region,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'iam_principal') THEN iam_principal ELSE '' END
    AS iam_principal,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'line_item_type') THEN line_item_type ELSE '' END
    AS line_item_type,
  model,
  team,
  tenant,
  project,
  cost_center,
  SUM(closed_cost) AS closed_cost,
  SUM(closed_unblended_cost) AS closed_unblended_cost,
  SUM(closed_tokens) AS closed_tokens,
  SUM(current_cost) AS current_cost,
  SUM(current_unblended_cost) AS current_unblended_cost,
  SUM(current_tokens) AS current_tokens,
  SUM(moved_cost) AS moved_cost,
  SUM(moved_unblended_cost) AS moved_unblended_cost,
  SUM(moved_tokens) AS moved_tokens
FROM told
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
