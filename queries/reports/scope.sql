-- Named step: the rows that a view asks for, and whoever looks may see; every report starts here.
--
-- parameters: first_month, month   YYYY-MM, both included
--             currency             as on the bill; NULL asks for all, where a statement keeps
--                                  them apart: amounts in different currencies are never added
--             account, team, tenant, project, cost_center, principal, iam_principal, provider,
--             model, token_type, service_tier, region
--                                  lists of values; NULL asks for all
--             days                 only usage dated on the first so many days of its billing
--                                  period; NULL asks for all lines
-- relations:  enriched = daily or monthly rows
-- grain:      the relation's
SELECT *
FROM enriched
WHERE
  billing_period BETWEEN :first_month AND :month
  AND (CAST(:currency AS VARCHAR) IS NULL OR currency = :currency)
  AND (
    CAST(:days AS INTEGER) IS NULL
    OR (
      charge_category = 'usage'
      AND date_diff('day', CAST(billing_period || '-01' AS DATE), usage_date)
      BETWEEN 0 AND CAST(:days AS INTEGER) - 1
    )
  )
  AND COALESCE(contains(CAST(:account AS ARRAY(VARCHAR)), usage_account_id), TRUE)
  AND COALESCE(contains(CAST(:team AS ARRAY(VARCHAR)), team), TRUE)
  AND COALESCE(contains(CAST(:tenant AS ARRAY(VARCHAR)), tenant), TRUE)
  AND COALESCE(contains(CAST(:project AS ARRAY(VARCHAR)), project), TRUE)
  AND COALESCE(contains(CAST(:cost_center AS ARRAY(VARCHAR)), cost_center), TRUE)
  AND COALESCE(contains(CAST(:principal AS ARRAY(VARCHAR)), principal), TRUE)
  AND COALESCE(contains(CAST(:iam_principal AS ARRAY(VARCHAR)), iam_principal), TRUE)
  AND COALESCE(contains(CAST(:provider AS ARRAY(VARCHAR)), provider), TRUE)
  AND COALESCE(contains(CAST(:model AS ARRAY(VARCHAR)), model), TRUE)
  AND COALESCE(contains(CAST(:token_type AS ARRAY(VARCHAR)), token_type), TRUE)
  AND COALESCE(contains(CAST(:service_tier AS ARRAY(VARCHAR)), service_tier), TRUE)
  AND COALESCE(contains(CAST(:region AS ARRAY(VARCHAR)), region), TRUE)
