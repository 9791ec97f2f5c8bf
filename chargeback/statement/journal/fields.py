"""What a column of a journal file can hold: the words that profiles use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from chargeback.formats import MONTHS
from chargeback.statement.journal.model import JournalDocument, JournalLine

Value = str | int | Decimal | date | None
"""Decimals are amounts in cents; None is an empty cell."""


class Place(NamedTuple):
    """A line, where it stands."""

    document: JournalDocument
    line: JournalLine
    number: int


def _debit(place: Place) -> Decimal | None:
    return place.line.amount if place.line.amount > 0 else None


def _credit(place: Place) -> Decimal | None:
    return -place.line.amount if place.line.amount < 0 else None


def _posting_period(place: Place) -> str:
    day = place.document.posting.posting_date
    return f"{MONTHS[day.month - 1][:3]} {day.year}"


FIELDS: Mapping[str, Callable[[Place], Value]] = {
    "document_id": lambda place: place.document.document_id,
    "document_text": lambda place: place.document.text,
    "control_total": lambda place: place.document.debits,
    "line": lambda place: place.number,
    "posting_date": lambda place: place.document.posting.posting_date,
    "posting_period": _posting_period,
    "currency": lambda place: place.document.posting.currency,
    "account": lambda place: place.line.account,
    "debit": _debit,
    "credit": _credit,
    "amount": lambda place: place.line.amount,
    "description": lambda place: place.line.text,
    "bill_to": lambda place: place.line.unit,
    "billing_period": lambda place: place.line.billing_period,
    "statement_document_id": lambda place: place.line.statement_id,
    "original_document_id": lambda place: place.line.original_id,
}
"""By name; `posting_period` is 'Oct 2026', and one of `debit` and `credit` is empty."""

TEXTS = frozenset({"document_text", "description", "bill_to"})
"""For people: cut where a column is shorter. Anything else that does not fit is refused."""
