-- How much usage does a version of a billing period hold on the days that another one holds?
--
-- relations: spend      the version to measure
--            in_force   the version whose usage dates count, for each payer account and currency
-- grain:     one row per payer account, currency, set of tags, with a principal or without
-- columns:   usage_cost   unblended cost of usage, in currency; 0 where there is none on those days
WITH days AS (
  SELECT DISTINCT
    payer_account_id,
    currency,
    COALESCE(usage_date, DATE '0001-01-01') AS usage_date
  FROM in_force
)

SELECT
  s.payer_account_id,
  s.currency,
  s.iam_principal <> '' AS has_principal,
  s.tags,
  s.resource_tags,
  s.cost_category,
  SUM(
    CASE
      WHEN
        d.usage_date IS NOT NULL
        AND (
          s.line_item_type IN ('Usage', 'DiscountedUsage')
          OR strpos(s.line_item_type, 'SavingsPlan') = 1
        )
        THEN s.unblended_cost
      ELSE 0
    END
  ) AS usage_cost
FROM spend AS s
LEFT JOIN days AS d
  ON
    s.payer_account_id = d.payer_account_id
    AND s.currency = d.currency
    AND COALESCE(s.usage_date, DATE '0001-01-01') = d.usage_date
GROUP BY 1, 2, 3, 4, 5, 6
