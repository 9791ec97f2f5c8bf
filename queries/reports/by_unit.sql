-- Named step: the rows in scope, each with the unit it counts for under one dimension.
--
-- parameters: dimension   tenant, team, project, cost_center, principal (sessions gathered under
--                         their role), iam_principal (as billed), account, provider, model,
--                         token_type, service_tier or region
--             and scope.sql's
-- grain:      scope.sql's
-- columns:    unit        '(unallocated)' where nothing decides; name: how people call it
--             source      what decided, '' for nothing; NULL where the rows don't say
SELECT
  *,
  CASE
    WHEN :dimension = 'tenant' THEN tenant
    WHEN :dimension = 'team' THEN team
    WHEN :dimension = 'project' THEN project
    WHEN :dimension = 'cost_center' THEN cost_center
    WHEN :dimension = 'principal' THEN principal
    WHEN :dimension = 'iam_principal' THEN COALESCE(NULLIF(iam_principal, ''), '(unallocated)')
    WHEN :dimension = 'account' THEN COALESCE(NULLIF(usage_account_id, ''), '(unallocated)')
    WHEN :dimension = 'provider' THEN provider
    WHEN :dimension = 'model' THEN model
    WHEN :dimension = 'token_type' THEN token_type
    WHEN :dimension = 'service_tier' THEN service_tier
    WHEN :dimension = 'region' THEN region
  END AS unit,
  CASE
    WHEN :dimension = 'principal' THEN principal_name
    WHEN :dimension = 'iam_principal' THEN COALESCE(NULLIF(session_name, ''), principal_name)
    WHEN :dimension = 'account' AND usage_account_id = '' THEN '(unallocated)'
    WHEN :dimension = 'account' THEN COALESCE(NULLIF(usage_account_name, ''), usage_account_id)
  END AS name,
  CASE
    WHEN :dimension = 'tenant' THEN tenant_source
    WHEN :dimension = 'team' THEN team_source
    WHEN :dimension = 'project' THEN project_source
    WHEN :dimension = 'cost_center' THEN cost_center_source
    WHEN :dimension = 'principal' AND principal = '(unallocated)' THEN ''
    WHEN :dimension = 'principal' THEN principal_type
  END AS source
FROM scope
