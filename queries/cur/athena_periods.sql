-- Which billing periods does the table hold, and when did AWS last write each? Asked of Athena
-- only: the hidden columns exist in its tables, not in files on disk and not in views.
--
-- No column of the bill is read: Athena opens each file's footer and bills its smallest query.
-- grain:   one row per billing period (YYYY-MM), newest first
-- columns: newest_file   when the newest file was written, in seconds since 1970 (UTC)
--          files         how many files there are; line_count: how many CUR lines
SELECT
  billing_period,
  CAST(to_unixtime(MAX("$file_modified_time")) AS BIGINT) AS newest_file,
  COUNT(DISTINCT "$path") AS files,
  COUNT(*) AS line_count
FROM cur
WHERE regexp_like(billing_period, '^[0-9]{4}-[0-9]{2}$')
GROUP BY billing_period
ORDER BY billing_period DESC
