-- What do the sessions come to that are kept as one?
--
-- relations: spend   the period as billed
--            session_folds   rows of folds.sql
--            kept    the period as it is kept: rows of folded.sql
-- grain:     one row per currency that they have
-- columns:   roles, sessions, lines (CUR lines)
--            rows_before, rows_after   rows of the store
--            unblended_total, net_total   in currency; net where AWS filled it, else unblended
WITH as_billed AS (
  SELECT
    s.currency,
    COUNT(DISTINCT split_part(f.folded, '/', 1) || '/' || split_part(f.folded, '/', 2)) AS roles,
    COUNT(DISTINCT f.iam_principal) AS sessions,
    CAST(SUM(s.line_count) AS BIGINT) AS lines,
    COUNT(*) AS rows_before,
    SUM(s.unblended_cost) AS unblended_total,
    SUM(COALESCE(s.net_unblended_cost, s.unblended_cost)) AS net_total
  FROM spend AS s
  INNER JOIN session_folds AS f ON s.iam_principal = f.iam_principal
  GROUP BY s.currency
),

principals AS (
  SELECT DISTINCT folded
  FROM session_folds
),

as_kept AS (
  SELECT
    k.currency,
    COUNT(*) AS rows_after
  FROM kept AS k
  INNER JOIN principals AS p ON k.iam_principal = p.folded
  GROUP BY k.currency
)

SELECT
  b.*,
  a.rows_after
FROM as_billed AS b
INNER JOIN as_kept AS a ON b.currency = a.currency
ORDER BY b.currency
