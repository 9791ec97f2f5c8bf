-- What does each line of a month come to, by all that AWS says of it, and who pays for it?
--
-- parameters: dimension, columns   the columns beside the unit that decide who pays, of those from
--             model to cost_center: the others are '' ; and scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per line and who pays for it. A line is what is alike in the columns up to
--             currency: not its invoice, which is filled in later, nor names and tags
-- columns:    usage_date YYYY-MM-DD, '' for none; usage_amount in pricing_unit; tokens single tokens; unblended_cost, cost in currency
SELECT
  COALESCE(CAST(usage_date AS VARCHAR), '') AS usage_date,
  payer_account_id,
  usage_account_id,
  iam_principal,
  billing_entity,
  legal_entity,
  product_code,
  usage_type,
  operation,
  region,
  resource_id,
  line_item_type,
  charge_category,
  pricing_unit,
  currency,
  unit,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'model') THEN model ELSE '' END AS model,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'team') THEN team ELSE '' END AS team,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'tenant') THEN tenant ELSE '' END AS tenant,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'project') THEN project ELSE '' END AS project,
  CASE WHEN contains(CAST(:columns AS ARRAY(VARCHAR)), 'cost_center') THEN cost_center ELSE '' END
    AS cost_center,
  SUM(usage_amount) AS usage_amount,
  COALESCE(SUM(tokens), 0) AS tokens,
  SUM(unblended_cost) AS unblended_cost,
  SUM(cost) AS cost
FROM by_unit
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
