"""What a close knows for FOCUS's billing period and invoice detail."""

from __future__ import annotations

from pydantic import BaseModel, TypeAdapter

from chargeback.closing.book import Book, ClosedMonth
from chargeback.closing.pack import RECONCILIATION
from chargeback.statement.focus.billing import ClosedPeriod, Issued


class _InvoiceRow(BaseModel):
    """Of chargeback/reconciliation/invoices.py, as the close has it."""

    seller: str
    invoice_id: str
    invoice: Issued | None


class _Reconciliation(BaseModel):
    """Of one currency."""

    invoice_rows: tuple[_InvoiceRow, ...]


_FROZEN = TypeAdapter(tuple[_Reconciliation, ...])


def closed_period(book: Book, closed: ClosedMonth) -> ClosedPeriod:
    """When a month was closed, and which invoices were known then. Raises OSError."""
    own = (each for each in book.entries if each.billing_period == closed.month)
    return ClosedPeriod(
        first_closed=min(each.when for each in own),
        closed=closed.record.when,
        bill=closed.record.bill,
        invoices={
            (row.seller, row.invoice_id): row.invoice
            for reconciled in _FROZEN.validate_json(closed.read(RECONCILIATION))
            for row in reconciled.invoice_rows
            if row.invoice
        },
    )
