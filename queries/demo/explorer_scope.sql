-- Named step: the charges that a filter of Cost Explorer lets through.
--
-- parameters: services, record_types, linked_accounts, billing_entities
--                                  lists of values; NULL lets all through
--             other_than_services, …   lists of values to leave out; NULL leaves out none
--             and explorer_charges.sql's
-- grain:      explorer_charges.sql's
SELECT *
FROM explorer_charges
WHERE
  COALESCE(contains(CAST(:services AS ARRAY(VARCHAR)), service), TRUE)
  AND COALESCE(contains(CAST(:record_types AS ARRAY(VARCHAR)), record_type), TRUE)
  AND COALESCE(contains(CAST(:linked_accounts AS ARRAY(VARCHAR)), linked_account), TRUE)
  AND COALESCE(contains(CAST(:billing_entities AS ARRAY(VARCHAR)), billing_entity), TRUE)
  AND NOT COALESCE(contains(CAST(:other_than_services AS ARRAY(VARCHAR)), service), FALSE)
  AND NOT COALESCE(contains(CAST(:other_than_record_types AS ARRAY(VARCHAR)), record_type), FALSE)
  AND NOT COALESCE(contains(CAST(:other_than_linked_accounts AS ARRAY(VARCHAR)), linked_account), FALSE)
  AND NOT COALESCE(contains(CAST(:other_than_billing_entities AS ARRAY(VARCHAR)), billing_entity), FALSE)
