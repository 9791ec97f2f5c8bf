-- Which cost allocation tags does Cost Explorer know, with which values, and since when?
--
-- Tags of IAM principals keep their prefix, tags of resources have none, as Cost Explorer has it.
-- parameters: explorer_scope.sql's
-- grain:      one row per tag key and value
-- columns:    first_used, last_used   days (UTC)
WITH tagged AS (
  SELECT
    t.tag_key,
    element_at(tags, t.tag_key) AS tag_value,
    charge_date
  FROM explorer_scope
  CROSS JOIN UNNEST(map_keys(tags)) AS t (tag_key)
)

SELECT
  CASE WHEN strpos(tag_key, 'resourceTags/') = 1 THEN SUBSTR(tag_key, 14) ELSE tag_key END AS tag_key,
  tag_value,
  MIN(charge_date) AS first_used,
  MAX(charge_date) AS last_used
FROM tagged
WHERE strpos(tag_key, 'iamPrincipal/') = 1 OR strpos(tag_key, 'resourceTags/') = 1
GROUP BY 1, 2
ORDER BY 1, 2
