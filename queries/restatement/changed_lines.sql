-- Which lines of a month differ between two readings of the bill, and why?
--
-- parameters: columns   the columns that tell lines apart, of those from payer_account_id to
--             cost_center: the others are ''
-- relations:  paid_lines.sql's
-- grain:      one row per cause, line, currency, unit, charge category and what tells lines apart
-- columns:    cause   attribution (who pays changed, what is paid did not), late usage, rate,
--                     credit, refund, tax, discount, other, unchanged
--             line    0; or the number of a line of which both changed at once, with the cause of
--                     what is paid: who pays more or less by which is still to be said
--             closed_…, current_…   cost, unblended_cost in currency, exact; tokens single tokens
WITH explained AS (
  SELECT
    *,
    CASE
      -- Tags that AWS fills in later, and callers or resources, leave these sums as they were.
      WHEN
        SUM(more_cost) OVER line = 0 AND SUM(more_unblended_cost) OVER line = 0
        AND SUM(more_tokens) OVER line = 0 AND SUM(more_usage) OVER line = 0
        THEN 'attribution'
      WHEN
        SUM(more_cost) OVER meter = 0 AND SUM(more_unblended_cost) OVER meter = 0
        AND SUM(more_tokens) OVER meter = 0 AND SUM(more_usage) OVER meter = 0
        THEN 'attribution'
      WHEN charge_category <> 'usage' THEN charge_category
      WHEN
        SUM(more_usage) OVER line <> 0
        OR SUM(was_there) OVER line = 0
        OR SUM(is_there) OVER line = 0
        THEN 'late usage'
      WHEN SUM(more_unblended_cost) OVER line <> 0 THEN 'rate'
      WHEN SUM(more_cost) OVER line <> 0 THEN 'discount'
      ELSE 'other'
    END AS cause,
    CASE
      WHEN
        COUNT(*) OVER line > 1
        AND SUM(was_there) OVER line > 0
        AND SUM(is_there) OVER line > 0
        THEN
          DENSE_RANK() OVER (
            ORDER BY
              usage_date, payer_account_id, usage_account_id, billing_entity, legal_entity,
              product_code, usage_type, operation, region, line_item_type, pricing_unit, currency,
              iam_principal, resource_id
          )
      ELSE 0
    END AS line
  FROM paid_lines
  WHERE more_cost <> 0 OR more_unblended_cost <> 0 OR more_tokens <> 0
  WINDOW
    line AS (
      PARTITION BY
        usage_date, payer_account_id, usage_account_id, billing_entity, legal_entity, product_code,
        usage_type, operation, region, line_item_type, pricing_unit, currency, iam_principal,
        resource_id
    ),
    meter AS (
      PARTITION BY
        usage_date, payer_account_id, usage_account_id, billing_entity, legal_entity, product_code,
        usage_type, operation, region, line_item_type, pricing_unit, currency
    )
),

told AS (
  SELECT * FROM explained
  UNION ALL
  SELECT
    *,
    'unchanged' AS cause,
    0 AS line
  FROM paid_lines
  WHERE more_cost = 0 AND more_unblended_cost = 0 AND more_tokens = 0
)

SELECT
  cause,
  CASE WHEN cause = 'attribution' THEN 0 ELSE line END AS line,
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
  SUM(current_tokens) AS current_tokens
FROM told
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
