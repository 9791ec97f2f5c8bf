"""The single CUR lines behind a figure, a page at a time, and whether they add up to it."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.files.names import safe_file_name
from chargeback.formats import count, exact_money
from chargeback.reports.cur_lines import LINES_PAGE, cur_lines
from chargeback.reports.frames import total
from chargeback.reports.view import View
from chargeback.ui import metrics, tables
from chargeback.ui.drill_path import DrillPath
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context
from chargeback.ui.problems import shown_problems
from chargeback.ui.table import Column

ATHENA_PRICE: Final = "$5 per TB scanned, $0.00005 or more"
"""Amazon Athena pricing, SQL queries: at least 10 MB are charged for each."""
LAST_READ: Final = "cur_lines"
"""Where the session keeps the lines it read last, so that nothing is read or paid for twice."""
COLUMNS: Final = {
    "usage_start": Column("Usage start (UTC)", "time", pinned=True),
    "cost": Column("Cost", "exact_money"),
    "usage_amount": Column("Amount", "quantity"),
    "unit": Column("Unit"),
    "unit_price": Column("Per unit", "exact_money", "Cost over amount, with six digits."),
    "usage_type": Column("Usage type"),
    "operation": Column("Operation"),
    "line_item_type": Column("Line type"),
    "usage_account_id": Column("Account"),
    "iam_principal": Column("IAM principal"),
    "description": Column("Description"),
    "invoice_id": Column("Invoice"),
    "resource_id": Column("Resource"),
    "tags": Column("Tags"),
}


def draw(
    context: Context, path: DrillPath, view: View, line_count: int, cost: Decimal
) -> DrillPath:
    """Draws the CUR lines of a path; returns the path whose page of lines is asked for.

    Args:
        context: the bill.
        path: a path that splits by CUR lines.
        view: what it shows.
        line_count: how many lines there are in all.
        cost: what they come to, in the view's currency.
    """
    with shown_problems():
        frame = _lines(context, path, view)
        if frame is not None:
            metrics.heading("CUR lines", frame, _file_name(path, view))
            said = describe_lines(frame, path.page, line_count, cost, view.currency)
            st.caption(plain(f"{said}. {_price(context)}"))
            _table(frame, view.currency, f"lines-{path.key}")
    pages = max(-(-line_count // LINES_PAGE), 1)
    if pages == 1:
        return path
    chosen = st.pagination(pages, default=path.page + 1, key=f"page-{path.key}")
    return path.turned_to(chosen - 1)


def describe_lines(
    frame: pd.DataFrame, page: int, line_count: int, cost: Decimal, currency: str
) -> str:
    """How many lines are shown, their sum, and whether that is the level's cost."""
    amount, lines = total(frame), count(len(frame), "CUR line")
    if len(frame) < line_count:
        first = page * LINES_PAGE + 1
        return (
            f"Lines {first:,} to {first + len(frame) - 1:,} of {line_count:,}, newest first: sum "
            f"{exact_money(amount, currency)} of {exact_money(cost, currency)}"
        )
    if amount == cost:
        return f"{lines}, sum {exact_money(amount, currency)}: this level's cost, to the last digit"
    return (
        f"{lines}, sum {exact_money(amount, currency)}, but this level's cost is "
        f"{exact_money(cost, currency)}: the bill was rewritten after its figures were read, or "
        "an owner list gives these callers to others on some days of the month."
    )


def _lines(context: Context, path: DrillPath, view: View) -> pd.DataFrame | None:
    """The lines, or None until the reader agrees to the price of reading them."""
    source, manifest = context.workspace.source, context.manifest
    asked: Hashable = (source.source_id, manifest.source_version, view, path.day, path.page)
    known: tuple[Hashable, pd.DataFrame] | None = st.session_state.get(LAST_READ)
    if known and known[0] == asked:
        return known[1]
    if _costs_money(context) and not _agreed(path):
        return None
    with st.spinner("Reading the CUR lines…"):
        frame = cur_lines(context.answers, source, view, path.day, path.page)
    st.session_state[LAST_READ] = (asked, frame)
    if _costs_money(context):
        st.rerun()  # the question is answered
    return frame


def _costs_money(context: Context) -> bool:
    return context.workspace.settings.athena is not None


def _agreed(path: DrillPath) -> bool:
    st.info(
        plain(
            f"Single lines are not in the spend store: reading them queries Athena, {ATHENA_PRICE}."
        ),
        icon=":material/payments:",
    )
    return st.button("Read the CUR lines from Athena", key=f"read-{path.key}")


def _price(context: Context) -> str:
    if _costs_money(context):
        return f"Read from Athena: {ATHENA_PRICE}"
    return "Read from the export's files: free"


def _file_name(path: DrillPath, view: View) -> str:
    when = path.day.isoformat() if path.day else view.month
    values = (value for _, value in path.at)
    return safe_file_name("-".join([when, "cur-lines", str(path.page + 1), *values])) + ".csv"


def _table(frame: pd.DataFrame, currency: str, key: str) -> None:
    tables.plain_table(
        frame,
        columns=COLUMNS,
        currency=currency,
        key=key,
        what="CUR lines, newest first",
        total={"cost": total(frame)},
    )
