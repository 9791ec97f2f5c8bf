"""A closed month as FOCUS 1.4 has it: its billing period, and what it comes to on each invoice.

What a close does not know is null, also where FOCUS asks for a value: payment terms, purchase
orders, and which invoice a credit or a refund is about.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from chargeback.billing_period import first_of_next
from chargeback.errors import Problem
from chargeback.files.atomic import write_whole
from chargeback.files.csv_file import write_csv
from chargeback.money import EXACT, ZERO
from chargeback.reports.answers import Answers
from chargeback.reports.charges import invoice_charges
from chargeback.reports.view import View
from chargeback.sources.billing.cost_explorer import MARKETPLACE
from chargeback.statement.focus.columns import BILLING_PERIOD, INVOICE_DETAIL
from chargeback.statement.focus.rows import PROVIDER, Cells, as_json, category_of, midnight
from chargeback.statement.focus.write import csv_rows

ORIGINAL = frozenset({"Usage", "Purchase", "Tax"})
"""Kinds of charges that correct no other invoice."""
INVOICE = "INVOICE"
"""What the Invoicing API calls a document that is no credit memo."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What is known of a document that was issued."""

    kind: str
    """As the Invoicing API has it: INVOICE or CREDIT_MEMO."""
    issued_on: date | None
    due_on: date | None


UNKNOWN = Issued("", None, None)
"""Where the Invoicing API could not be asked, or did not know the document."""


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """What a close knows of its month, beside the figures."""

    first_closed: datetime
    """For the first time, whether or not that close was withdrawn."""
    closed: datetime
    """As it stands."""
    bill: Mapping[str, Decimal]
    """The exact bill in each currency."""
    invoices: Mapping[tuple[str, str], Issued]
    """By seller, AWS or AWS Marketplace, and invoice id."""


@dataclass(frozen=True, slots=True)
class _Detail:
    """What the rows of an Invoice Detail file are told apart by."""

    currency: str
    payer_account_id: str
    invoice_id: str
    billing_entity: str
    legal_entity: str
    category: str

    @property
    def seller(self) -> str:
        return MARKETPLACE if self.billing_entity == MARKETPLACE else PROVIDER

    def id_in(self, month: str) -> str:
        """Ours: AWS numbers no lines of invoices. The same in every revision of a close."""
        names = (self.currency, self.payer_account_id, self.invoice_id)
        kind = (self.billing_entity, self.legal_entity, self.category)
        digest = hashlib.sha256(as_json([month, *names, *kind]).encode()).hexdigest()
        return f"chargeback-{month}-{digest[:20]}"


def write_billing(answers: Answers, view: View, period: ClosedPeriod, out: Path) -> list[Path]:
    """Writes a closed month's Billing Period and Invoice Detail, each as Parquet and CSV.

    Args:
        answers: the frozen figures.
        view: the whole month.
        period: what else its close knows.
        out: the folder, made if it isn't there.

    Raises:
        Problem: the invoices do not add up to the bill that was closed; nothing is written.
    """
    amounts = _amounts(answers, view)
    _check_it_ties(amounts, period.bill)
    out.mkdir(parents=True, exist_ok=True)
    start = date.fromisoformat(f"{view.month}-01")
    dates: Cells = {
        "BillingPeriodStart": midnight(start),
        "BillingPeriodEnd": midnight(first_of_next(start)),
        "InvoiceIssuerName": PROVIDER,
    }
    billing = dates | _billing_period(amounts, period)
    details = [
        dates | _invoice_detail(detail, view.month, cost, period)
        for detail, cost in amounts.items()
    ]
    return [
        *_write(out / f"focus-billing-period-{view.month}", BILLING_PERIOD, [billing]),
        *_write(out / f"focus-invoice-detail-{view.month}", INVOICE_DETAIL, details),
    ]


def _amounts(answers: Answers, view: View) -> dict[_Detail, Decimal]:
    """What the month comes to by row of the file; what comes to nothing is no row."""
    amounts: dict[_Detail, Decimal] = defaultdict(Decimal)
    for row in invoice_charges(answers, view).to_pylist():
        detail = _Detail(
            row["currency"],
            row["payer_account_id"],
            row["invoice_id"],
            row["billing_entity"],
            row["legal_entity"],
            category_of(row),
        )
        amounts[detail] = EXACT.add(amounts[detail], row["cost"])
    return {detail: cost for detail, cost in amounts.items() if cost}


def _check_it_ties(amounts: Mapping[_Detail, Decimal], bill: Mapping[str, Decimal]) -> None:
    found = dict.fromkeys(bill, ZERO)
    for detail, cost in amounts.items():
        found[detail.currency] = EXACT.add(found.get(detail.currency, ZERO), cost)
    if found != bill:
        raise Problem(
            "The invoices do not add up to the bill that was closed.",
            "Neither FOCUS's billing period nor its invoice detail was written.",
            "Run verify; if it finds nothing, report it as a bug in this program.",
        )


def _billing_period(amounts: Iterable[_Detail], period: ClosedPeriod) -> Cells:
    """FOCUS calls a period closed once all its invoices are issued, not before."""
    is_invoiced = all(detail.invoice_id for detail in amounts)
    return {
        "BillingPeriodCreated": period.first_closed,
        "BillingPeriodLastUpdated": period.closed,
        "BillingPeriodStatus": "Closed" if is_invoiced else "Open",
    }


def _invoice_detail(detail: _Detail, month: str, cost: Decimal, period: ClosedPeriod) -> Cells:
    invoice_id = detail.invoice_id or None
    issued = period.invoices.get((detail.seller, detail.invoice_id), UNKNOWN)
    is_original = issued.kind == INVOICE and detail.category in ORIGINAL
    grain = {"x_BillingEntity": detail.billing_entity, "x_LegalEntity": detail.legal_entity}
    return {
        "BilledCost": cost,
        "BillingAccountId": detail.payer_account_id,
        "BillingCurrency": detail.currency,
        "ChargeCategory": detail.category,
        "InvoiceDetailCreated": period.closed,
        "InvoiceDetailGrain": as_json({name: text for name, text in grain.items() if text}),
        "InvoiceDetailId": detail.id_in(month),
        "InvoiceDetailLastUpdated": period.closed,
        "InvoiceId": invoice_id,
        "InvoiceIssueDate": issued.issued_on and midnight(issued.issued_on),
        "InvoiceIssueStatus": "Issued" if invoice_id else "Open",
        "PaymentDueDate": issued.due_on and midnight(issued.due_on),
        "ReferenceInvoiceId": invoice_id if is_original else None,
    }


def _write(stem: Path, schema: pa.Schema, rows: list[Cells]) -> Iterator[Path]:
    table, csv = BytesIO(), BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), table, compression="zstd")
    write_csv(csv, schema.names, csv_rows(rows, schema.names))
    for suffix, content in ((".parquet", table), (".csv", csv)):
        file = stem.with_name(stem.name + suffix)
        write_whole(file, content.getvalue())
        yield file
