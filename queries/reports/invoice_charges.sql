-- What does the month come to on each invoice, by kind of charge?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per distinct combination of the text columns below; invoice_id '' where none
--             is issued yet
-- columns:    cost in currency, exact
SELECT
  currency,
  payer_account_id,
  invoice_id,
  billing_entity,
  legal_entity,
  charge_category,
  line_item_type,
  SUM(cost) AS cost
FROM scope
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
