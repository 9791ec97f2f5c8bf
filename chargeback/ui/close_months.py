"""Where the months stand, on the Close page: one table, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback.closing.close import why_not_to_close
from chargeback.closing.restated_cents import due
from chargeback.closing.standing import Standing, State, standing
from chargeback.closing.statements import Statements
from chargeback.formats import ABSENT, cut, date_name, month_name
from chargeback.ui import address
from chargeback.ui.page_context import Context
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table

STATES: Final[Mapping[State, str]] = {
    "open": "Open",
    "provisional": "Provisional",
    "invoiced": "Invoiced",
    "closed": "Closed",
    "restated": "Restated",
}
HELP: Final = (
    "Open: not over. Provisional: over, but not fully invoiced, or a question is open. Invoiced: "
    "ready to be closed. Closed: its figures stand. Restated: closed, and the bill has changed "
    "since."
)
NOTE_LENGTH = 36
FIRST: Final = (
    "No month is closed yet. The first may be any month that is over; months before it can’t be "
    "closed any more."
)
COLUMNS: Final = {
    "name": Column("Month", pinned=True),
    "state": Column("State", help=HELP),
    "bill": Column("Bill", "money", "As it was closed; of other months as it is now."),
    "difference": Column("Changed since", "money_change", "How much more the bill comes to now."),
    "next": Column("Next"),
    "closed": Column("Closed"),
    "note": Column("Note"),
}

ONCE_CLOSED: Final = ("difference", "closed", "note")
"""Columns that are left out while no month has anything there."""


def draw(context: Context) -> None:
    """The table; a row leads to its month."""
    statements, currency = context.statements, context.view.currency
    months = statements.months
    if not statements.book.closed:
        st.caption(FIRST)
    rows = [_row(statements, standing(statements, each), currency) for each in months]
    empty = {name for name in ONCE_CLOSED if all(row[name] in {None, ABSENT} for row in rows)}
    row = plain_table(
        pd.DataFrame(rows),
        columns={name: column for name, column in COLUMNS.items() if name not in empty},
        currency=currency,
        key="close-months",
        select=True,
        what="Months",
        current=months.index(context.view.month),
        closed=[at for at, month in enumerate(months) if month not in context.answers.months],
    )
    if row is not None:
        address.go({address.MONTH: [months[row]]})


def _row(statements: Statements, at: Standing, currency: str) -> dict[str, Any]:
    record = at.closed.record if at.closed else None
    return {
        "name": month_name(at.month),
        "state": STATES[at.state],
        "bill": at.bill.get(currency),
        "difference": at.difference.get(currency),
        "next": _next(statements, at),
        "closed": f"{date_name(record.when.date())}, {record.who}" if record else ABSENT,
        "note": cut(record.note, NOTE_LENGTH) if record else ABSENT,
    }


def _next(statements: Statements, at: Standing) -> str:
    """What there is to do about a month."""
    if at.state == "restated":
        return _of_restated(statements, at)
    if at.state in ("open", "closed"):
        return ABSENT
    if not why_not_to_close(statements, at.month):
        return "Close" if at.state == "invoiced" else "Check, then close"
    newest = statements.book.newest
    if newest and at.month < newest.month:
        return ABSENT
    return f"Close after {month_name(statements.posting_month)}"


def _of_restated(statements: Statements, at: Standing) -> str:
    if not any(due(statements.book, each) for each in at.found):
        return "Nothing left to post"
    month = statements.posting_month
    return f"Post with {month_name(month)}" if month else "Post with the next month"
