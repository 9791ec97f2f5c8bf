-- What does each row of the spend store mean, under the rules in force?
--
-- parameters: net_payers   texts `payer account|currency`: their bill is the sum of net costs
--             excluded     product codes that are left out
--             reads_resources   1 where a rule reads resource ids, else 0
-- relations:  spend, attributed_identities, recognised_meters
-- grain:      the spend store's: one row in, one row out, but for excluded products
-- columns:    cost                the amount on the bill, in currency, on the payer's basis
--             tokens              single tokens; NULL for what is not tokens
--             is_gateway          whether many callers come through the principal's role
--             blank_tags          the dimensions whose tag has no value, between commas; '' for none
--             other_opinions      JSON: by dimension and source what did not decide; '' for none
--             is_default_project  whether the line is of an account's default Bedrock project
--             charge_category     usage, discount, credit, refund, tax or other
SELECT
  s.billing_period,
  s.usage_date,
  s.payer_account_id,
  s.usage_account_id,
  s.usage_account_name,
  s.iam_principal,
  i.principal_type,
  i.principal,
  i.principal_name,
  i.session_name,
  i.is_gateway,
  i.tenant,
  i.tenant_source,
  i.team,
  i.team_source,
  i.project,
  i.project_source,
  i.cost_center,
  i.cost_center_source,
  i.blank_tags,
  i.other_opinions,
  s.tags,
  s.resource_tags,
  s.cost_category,
  s.billing_entity,
  s.product_code,
  s.product_name,
  s.usage_type,
  s.operation,
  s.region,
  s.resource_id,
  s.resource_id LIKE '%:project/default' AS is_default_project,
  s.line_item_type,
  s.charge_category,
  s.pricing_unit,
  s.invoice_id,
  s.legal_entity,
  s.currency,
  m.provider,
  m.model,
  m.token_type,
  m.service_tier,
  m.scope,
  m.long_context,
  m.recognised,
  m.note,
  s.usage_amount,
  CASE
    WHEN s.charge_category = 'usage'
      THEN TRY_CAST(
        TRY_CAST(s.usage_amount AS DECIMAL(28, 12)) * m.tokens_per_unit AS DECIMAL(38, 6)
      )
  END AS tokens,
  s.cost,
  s.unblended_cost,
  s.net_unblended_cost,
  s.line_count
FROM billed AS s
INNER JOIN attributed_identities AS i
  ON
    s.usage_account_id = i.usage_account_id
    AND s.iam_principal = i.iam_principal
    AND s.tags = i.tags
    AND s.resource_tags = i.resource_tags
    AND s.cost_category = i.cost_category
    AND CASE WHEN :reads_resources = 1 THEN s.resource_id ELSE '' END = i.resource_id
    -- A line without a date still has its row: the month's first day says who pays for it.
    AND COALESCE(s.usage_date, CAST(s.billing_period || '-01' AS DATE)) >= i.valid_from
    AND COALESCE(s.usage_date, CAST(s.billing_period || '-01' AS DATE)) < i.valid_to
INNER JOIN recognised_meters AS m
  ON
    s.billing_entity = m.billing_entity
    AND s.product_code = m.product_code
    AND s.product_name = m.product_name
    AND s.usage_type = m.usage_type
    AND s.pricing_unit = m.pricing_unit
    AND s.description = m.description
    AND s.operation = m.operation
    AND s.line_item_type = m.line_item_type
