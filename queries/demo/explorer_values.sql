-- Which values of a dimension does Cost Explorer's GetDimensionValues know?
--
-- parameters: dimension       SERVICE, RECORD_TYPE, LINKED_ACCOUNT, BILLING_ENTITY,
--                             INVOICING_ENTITY or LEGAL_ENTITY_NAME
--             search_string   what the value contains, in any case; '' for all
--             and explorer_scope.sql's
-- grain:      one row per value
WITH named AS (
  SELECT
    CASE :dimension
      WHEN 'SERVICE' THEN service
      WHEN 'RECORD_TYPE' THEN record_type
      WHEN 'LINKED_ACCOUNT' THEN linked_account
      WHEN 'BILLING_ENTITY' THEN billing_entity
      WHEN 'INVOICING_ENTITY' THEN invoicing_entity
      WHEN 'LEGAL_ENTITY_NAME' THEN legal_entity
    END AS value
  FROM explorer_scope
)

SELECT DISTINCT value
FROM named
WHERE value IS NOT NULL AND strpos(lower(value), lower(:search_string)) > 0
ORDER BY value
