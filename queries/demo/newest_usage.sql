-- How far does an export reach?
--
-- grain:   one row per billing period, newest first
-- columns: newest_usage   start of the newest usage (UTC)
SELECT
  billing_period,
  CAST(MAX(line_item_usage_start_date) AS TIMESTAMP) AS newest_usage
FROM cur
GROUP BY billing_period
ORDER BY billing_period DESC
