-- Which lines can move from one unit to another, and what weights them?
--
-- parameters: dimension, columns   the columns that tell lines apart, of those below from
--             payer_account_id to cost_center: the others are '' ; and scope.sql's
-- relations:  enriched = monthly rows
-- grain:      one row per currency, unit, charge category and what tells lines apart
-- columns:    unblended_cost, cost in currency, exact; tokens single tokens
SELECT
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
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'model') THEN model ELSE '' END AS model,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'team') THEN team ELSE '' END AS team,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'tenant') THEN tenant ELSE '' END AS tenant,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'project') THEN project ELSE '' END AS project,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'cost_center') THEN cost_center ELSE '' END
    AS cost_center,
  SUM(unblended_cost) AS unblended_cost,
  SUM(cost) AS cost,
  COALESCE(SUM(tokens), 0) AS tokens
FROM by_unit
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
