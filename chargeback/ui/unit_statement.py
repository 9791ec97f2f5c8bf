"""The page with one unit's statement: which one, the statement as its file has it, its files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.billing_period import previous_month, today
from chargeback.dimensions import CHARGED, Dimension, page_file
from chargeback.formats import month_name, short_month
from chargeback.reports.view import View
from chargeback.statement.build import Charge, Statement
from chargeback.statement.unit_files import (
    archive_name,
    file_name,
    html_bytes,
    workbook_bytes,
    write_archive,
)
from chargeback.statement.unit_gather import gather
from chargeback.statement.unit_html import fragment
from chargeback.statement.unit_names import Named
from chargeback.statement.unit_statement import UnitStatement, UnitStatements
from chargeback.ui import address, header, page_context, problems
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context
from chargeback.ui.table import Column
from chargeback.ui.tables import download_button, plain_table

BY, UNIT = "by", "unit"
"""In the address: what kind of unit, and which one."""
LABELS: Final = {name: dimension.label for name, dimension in CHARGED.items()}
OFFERED: Final = 2000
"""Units to choose from, the largest; the address may ask for any."""
ASKED_FOR_ALL: Final = "all statements"
"""In the session until they are written."""
UNIT_PIXELS: Final = 320
PAGE: Final = page_file("statement")


def show() -> None:
    """Draws the page."""
    context = page_context.current()
    with st.container(key="screen-only-statement-head"):  # it has a head of its own
        header.draw(context, "Statement")
    with problems.shown_problems():
        _draw(context, address.choice(BY, list(CHARGED), LABELS), address.value(UNIT))


def link(by: str, unit: str) -> None:
    """A link to the statement of a unit of this kind."""
    st.page_link(
        PAGE,
        label="One-page statement",
        icon=":material/description:",
        query_params=address.link({BY: [by], UNIT: [unit]}),
    )


def link_of(dimension: Dimension, unit: str) -> None:
    """The same for a unit of a dimension, where that is charged."""
    if dimension.charged_as:
        link(dimension.charged_as, unit)


def _draw(context: Context, by: str, unit: str) -> None:
    ask = partial(
        gather,
        context.answers,
        View.of_month(context.view.month, context.view.rows),
        by,
        today(),
        context.workspace.allocation,
        context.workspace.settings.statement,
    )
    found = ask(only=unit)
    mine = [each for each in found.statement.by_amount if each.currency == context.view.currency]
    charge = next((each for each in mine if each.bill_to == unit), None)
    with st.container(
        key="screen-only-statement-choice", horizontal=True, vertical_alignment="top"
    ):
        _choose_kind(by)
        _choose_unit(by, charge.bill_to if charge else None, mine, found.named)
    own = found.of(charge) if charge else None
    if own is None and unit:
        _say_none(found.statement, unit)
    with st.container(key="screen-only-statement-files", horizontal=True):
        if own is not None:
            _files(own)
        _archive(found.statement, ask)
    if own is not None:
        st.html(fragment(own))
    elif mine:
        _list(found, mine)
    else:
        st.info("No line of Bedrock is on this month's bill: nothing is charged.")


def _say_none(statement: Statement, unit: str) -> None:
    noun, month = CHARGED[statement.bill_to_type].noun, month_name(statement.billing_period)
    said = f"Nothing is charged to the {noun} {unit} in {month}."
    st.warning(plain(said), icon=":material/search_off:")


def _list(found: UnitStatements, charges: Sequence[Charge]) -> None:
    """The units to choose from: a row leads to its statement."""
    statements = [found.of(charge) for charge in charges[:OFFERED]]
    whole = len(statements) == len(charges)
    currency, month = charges[0].currency, previous_month(found.statement.billing_period)
    row = plain_table(
        pd.DataFrame(
            {
                "unit": [each.unit for each in statements],
                "name": [each.name for each in statements],
                "charge": [each.charged.total for each in statements],
                "last": [each.last.total if each.last else None for each in statements],
                "change": [each.change for each in statements],
            }
        ),
        columns={
            "name": Column(CHARGED[found.statement.bill_to_type].label, pinned=True),
            "charge": Column("Total charge", "money"),
            "last": Column(short_month(month), "money"),
            "change": Column("Change", "money_change"),
        },
        currency=currency,
        key=f"statements-{found.statement.bill_to_type}",
        select=True,
        what="Statements",
        total={"charge": sum(each.charged.total for each in statements)} if whole else None,
    )
    if row is not None:
        address.go({UNIT: [statements[row].unit]})


def _choose_kind(by: str) -> None:
    chosen = st.segmented_control(
        "Statement by",
        list(CHARGED),
        format_func=LABELS.__getitem__,
        default=by,
        required=True,
        key=f"kind-{by}",
    )
    if chosen != by:
        address.go({BY: [chosen], UNIT: []})


def _choose_unit(by: str, unit: str | None, charges: Sequence[Charge], named: Named) -> None:
    options = [each.bill_to for each in charges[:OFFERED]]
    if unit is not None and unit not in options:
        options.append(unit)
    chosen = st.selectbox(
        CHARGED[by].label,
        options,
        None if unit is None else options.index(unit),
        format_func=named,
        placeholder="Choose one",
        key=f"unit-{by}-{unit}",
        width=UNIT_PIXELS,
    )
    if chosen is not None and chosen != unit:
        address.go({UNIT: [chosen]})


def _files(statement: UnitStatement) -> None:
    for label, kind, make in (
        ("HTML", "html", html_bytes),
        ("Workbook (XLSX)", "xlsx", workbook_bytes),
    ):
        download_button(
            label, partial(make, statement), file_name(statement, kind), f"statement-{kind}"
        )


def _ask_for_all() -> None:
    st.session_state[ASKED_FOR_ALL] = True


def _archive(statement: Statement, ask: Callable[[], UnitStatements]) -> None:
    """All statements of the month: written with a bar in sight, then offered."""
    name = archive_name(statement.billing_period, statement.bill_to_type)
    count = len(statement.charges)
    st.button(
        f"All {count:,} statements (ZIP)", icon=":material/folder_zip:", on_click=_ask_for_all
    )
    if not st.session_state.pop(ASKED_FOR_ALL, False):
        return
    bar, content = st.progress(0.0, "Asking for the figures…"), io.BytesIO()

    def show(at: int, of: int) -> None:
        bar.progress(at / of, f"{at:,} of {of:,}")

    write_archive(ask(), content, show)
    bar.empty()
    download_button(f"Save {name}", content.getvalue, name, "statement-archive")
