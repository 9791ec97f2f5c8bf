-- Which sessions are kept as one, and under which ARN?
--
-- parameters: above      how many sessions of a role, of equal session tags, stay as they are at most
-- relations:  read_sessions = rows of sessions.sql, each with
--             folded         the ARN under which it may be kept with others; NULL where anything
--                            tells it from its role
--             session_tags   the tags that the caller brings along, as JSON
-- grain:      one row per session, all of whose rows are kept under the one ARN `folded`
WITH untold AS (
  SELECT iam_principal
  FROM read_sessions
  GROUP BY iam_principal
  HAVING COUNT(*) = COUNT(folded)
),

many AS (
  SELECT
    s.folded,
    s.session_tags
  FROM read_sessions AS s
  INNER JOIN untold AS u ON s.iam_principal = u.iam_principal
  GROUP BY s.folded, s.session_tags
  HAVING COUNT(DISTINCT s.iam_principal) > :above
)

SELECT
  s.iam_principal,
  MAX(m.folded) AS folded
FROM read_sessions AS s
LEFT JOIN many AS m
  ON s.folded = m.folded AND s.session_tags = m.session_tags
GROUP BY s.iam_principal
HAVING COUNT(*) = COUNT(m.folded)
