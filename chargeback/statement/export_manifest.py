"""The manifest of an export: where its figures come from, their sums, and what decided them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from chargeback import __version__
from chargeback.enrichment.bill import CostBasis
from chargeback.files.csv_file import FileDigest
from chargeback.money import CENT, ZERO, exact_sum
from chargeback.notices import Notice
from chargeback.reports.answers import Answers
from chargeback.reports.charges import invoice_totals
from chargeback.statement.build import MONEY, Statement


def describe_export(
    answers: Answers,
    statement: Statement,
    digests: dict[Path, FileDigest],
    detail_sums: dict[str, Decimal],
    up_to_date: bool,
) -> dict[str, Any]:
    """What the manifest says, as values for JSON and Decimals.

    Args:
        answers: the figures.
        statement: of the export.
        digests: of each file, by its path.
        detail_sums: what the detail comes to, by currency, exact.
        up_to_date: whether the bill could be asked for anything newer.
    """
    month = statement.billing_period
    period, rules = answers.manifest(month), answers.rules
    return {
        "schema_version": 1,
        "program_version": __version__,
        "billing_period": statement.billing_period,
        "period_status": statement.period_status,
        "data_as_of_utc": f"{statement.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
        "source": period.source,
        "engine": period.engine,
        "query_ids": list(period.query_ids),
        "up_to_date": up_to_date,
        "notices": [_said(each) for each in statement.notices],
        "cost_basis": [_basis(each) for each in answers.bill(month).cost_basis],
        "accepted": period.accepted and period.accepted.model_dump(mode="json"),
        "bill_to_type": statement.bill_to_type,
        "files": [
            {"name": path.name, "rows": digest.rows, "sha256": digest.sha256}
            for path, digest in digests.items()
        ],
        "totals": [
            _currency_totals(statement, currency, detail)
            for currency, detail in detail_sums.items()
        ],
        "invoices": _invoices(answers, statement),
        "attribution": rules.attribution.describe(),
        "allocation": statement.settings.describe(),
        "rules_fingerprint": statement.methodology,
        **({"closed": statement.closed.model_dump(mode="json")} if statement.closed else {}),
        **({"derived_after_close": True} if statement.derived_after_close else {}),
    }


def _currency_totals(statement: Statement, currency: str, detail: Decimal) -> dict[str, Any]:
    totals = statement.totals(currency)
    # Not rounded: a detail that misses the bill by its last digit must not seem to tie.
    missing = exact_sum((statement.bill[currency], detail.copy_negate()))
    return {
        "currency": currency,
        "bill": statement.bill[currency],
        "statement": {
            **dict(zip(MONEY, totals, strict=True)),
            "total_charge": sum(totals),
            **_due(statement, currency),
        },
        "detail": detail,
        "difference": statement.difference(currency),
        "detail_difference": missing or ZERO.quantize(CENT),
    }


def _due(statement: Statement, currency: str) -> dict[str, Decimal]:
    """What the documents come to, once there are any."""
    if statement.documents is None:
        return {}
    mine = [each for each in statement.documents.documents if each.currency == currency]
    return {
        "adjustment_amount": exact_sum((CENT * 0, *(each.adjustment_amount for each in mine))),
        "amount_due": exact_sum((CENT * 0, *(each.amount_due for each in mine))),
    }


def _invoices(answers: Answers, statement: Statement) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": row["invoice_id"],
            "legal_entity": row["legal_entity"],
            "currency": row["currency"],
            "bill": row["total"],
            "lines": row["line_count"],
        }
        for row in invoice_totals(answers, statement.view).to_pylist()
    ]


def _said(each: Notice) -> dict[str, Any]:
    return {**each.model_dump(), "text": each.words}


def _basis(each: CostBasis) -> dict[str, Any]:
    return {
        "payer_account_id": each.payer_account_id,
        "currency": each.currency,
        "basis": each.basis,
        "decided_by": each.decided_by,
        "taken_off_by_net_costs": each.taken_off_by_net_costs,
        "taken_off_by_discount_lines": each.taken_off_by_discount_lines,
        "bill": each.total,
    }


def as_json(value: object) -> str:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} does not belong in a manifest")
