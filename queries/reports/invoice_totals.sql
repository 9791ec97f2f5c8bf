-- What does the month come to on each invoice?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per currency, invoice and seller; invoice_id '' where none is issued yet
-- columns:    total in currency, exact
SELECT
  currency,
  invoice_id,
  legal_entity,
  SUM(cost) AS total,
  CAST(SUM(line_count) AS BIGINT) AS line_count
FROM scope
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
