"""The tables of an export beside the statement: the lines behind it, and what moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chargeback.statement.build import Statement

DETAIL_COLUMNS = (
    "billing_period",
    "usage_date",
    "usage_account_id",
    "iam_principal",
    "principal_type",
    "principal_name",
    "session_name",
    "tenant",
    "tenant_source",
    "team",
    "team_source",
    "project",
    "cost_center",
    "provider",
    "model",
    "service_tier",
    "token_type",
    "scope",
    "long_context",
    "usage_type",
    "region",
    "line_item_type",
    "invoice_id",
    "usage_amount",
    "pricing_unit",
    "tokens",
    "unblended_cost",
    "net_unblended_cost",
    "currency",
    "payer_account_id",
    "legal_entity",
    "product_code",
    "resource_id",
    "billed_cost",
)
ALLOCATION_COLUMNS = (
    "billing_period",
    "bill_to_type",
    "rule_id",
    "rule_name",
    "column",
    "from_unit",
    "to_unit",
    "by",
    "weight",
    "share",
    "pool",
    "amount",
    "currency",
)


def allocation_rows(statement: Statement) -> Iterator[list[Any]]:
    """The rows of the allocation file, in the order of ALLOCATION_COLUMNS."""
    for move in statement.allocation.moves:
        yield [
            statement.billing_period,
            statement.bill_to_type,
            move.rule_id,
            move.rule_name,
            move.column,
            move.from_unit,
            move.to_unit,
            move.by,
            move.weight,
            move.share,
            move.pool,
            move.amount,
            move.currency,
        ]
