-- Which sets of tags do the lines of the bill carry?
--
-- parameters: scope.sql's
-- relations:  enriched = daily rows
-- grain:      one row per distinct tags (a JSON object) with a principal or without
-- columns:    has_principal; first_date, last_date   usage dates (UTC); line_count
SELECT
  tags,
  iam_principal <> '' AS has_principal,
  MIN(COALESCE(usage_date, CAST(billing_period || '-01' AS DATE))) AS first_date,
  MAX(COALESCE(usage_date, CAST(billing_period || '-01' AS DATE))) AS last_date,
  CAST(SUM(line_count) AS BIGINT) AS line_count
FROM scope
GROUP BY 1, 2
ORDER BY 1, 2
