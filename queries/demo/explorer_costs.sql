-- What does Cost Explorer's GetCostAndUsage answer?
--
-- parameters: granularity   DAILY or MONTHLY
--             first_key, second_key   SERVICE, RECORD_TYPE, LINKED_ACCOUNT, INVOICING_ENTITY,
--                           LEGAL_ENTITY_NAME, a tag key such as iamPrincipal/team, or '' for none
--             and explorer_scope.sql's
-- grain:      one row per day or month and group
-- columns:    first_group, second_group   a tag's group is its key, $ and its value
--             unblended_cost, net_unblended_cost in currency
--             invoiced      whether every charge in the row is on an invoice
SELECT
  CASE
    WHEN :granularity = 'DAILY' THEN charge_date
    ELSE CAST(date_trunc('month', charge_date) AS DATE)
  END AS start_date,
  CASE :first_key
    WHEN '' THEN ''
    WHEN 'SERVICE' THEN service
    WHEN 'RECORD_TYPE' THEN record_type
    WHEN 'LINKED_ACCOUNT' THEN linked_account
    WHEN 'INVOICING_ENTITY' THEN invoicing_entity
    WHEN 'LEGAL_ENTITY_NAME' THEN legal_entity
    ELSE :first_key || '$' || COALESCE(element_at(tags, :first_key), '')
  END AS first_group,
  CASE :second_key
    WHEN '' THEN ''
    WHEN 'SERVICE' THEN service
    WHEN 'RECORD_TYPE' THEN record_type
    WHEN 'LINKED_ACCOUNT' THEN linked_account
    WHEN 'INVOICING_ENTITY' THEN invoicing_entity
    WHEN 'LEGAL_ENTITY_NAME' THEN legal_entity
    ELSE :second_key || '$' || COALESCE(element_at(tags, :second_key), '')
  END AS second_group,
  currency,
  SUM(unblended_cost) AS unblended_cost,
  SUM(net_unblended_cost) AS net_unblended_cost,
  BOOL_AND(invoice_id <> '') AS invoiced
FROM explorer_scope
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
