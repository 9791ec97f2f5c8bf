"""The page with one unit's statement: which one, the statement as its file has it, its files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.billing_period import is_over, previous_month
from chargeback.closing.handed import frozen_archive, gathered, handed, is_frozen
from chargeback.closing.statements import Statements
from chargeback.dimensions import CHARGED, Dimension, page_file
from chargeback.formats import month_name, short_month
from chargeback.money import exact_sum
from chargeback.statement.build import Charge, Statement
from chargeback.statement.charge_parts import Unit
from chargeback.statement.unit_files import archive_name, write_archive
from chargeback.statement.unit_names import Named, names_of
from chargeback.statement.unit_statement import NOTHING, Charged
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
FILES: Final = {"html": "HTML", "xlsx": "Workbook (XLSX)"}
UNIT_PIXELS: Final = 320
PAGE: Final = page_file("statement")


def show() -> None:
    """Draws the page."""
    context = page_context.current()
    with st.container(key="screen-only-statement-head"):  # it has a head of its own
        header.draw(context, "Statement", frozen=True)
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
    statements, month = context.statements, context.view.month
    statement = statements.of(month, by)
    mine = [each for each in statement.by_amount if each.currency == context.view.currency]
    charge = next((each for each in mine if each.bill_to == unit), None)
    named = names_of(statements.answers(month), statement.view, by)
    with st.container(
        key="screen-only-statement-choice", horizontal=True, vertical_alignment="top"
    ):
        _choose_kind(by)
        _choose_unit(by, charge.bill_to if charge else None, mine, named)
    own = handed(statements, month, by, charge) if charge else None
    if own is None and unit:
        _say_none(statement, unit)
    with st.container(key="screen-only-statement-files", horizontal=True):
        if own is not None:
            for name, make in own.files.items():
                kind = name.rpartition(".")[2]
                download_button(FILES[kind], make, name, f"statement-{kind}")
        _archive(statements, month, by)
    if own is not None:
        st.html(own.fragment)
    elif mine:
        _list(statements, statement, mine, named)
    else:
        st.info("No line of Bedrock is on this month's bill: nothing is charged.")


def _say_none(statement: Statement, unit: str) -> None:
    noun, month = CHARGED[statement.bill_to_type].noun, month_name(statement.billing_period)
    said = f"Nothing is charged to the {noun} {unit} in {month}."
    st.warning(plain(said), icon=":material/search_off:")


def _list(
    statements: Statements, statement: Statement, charges: Sequence[Charge], named: Named
) -> None:
    """The units to choose from: a row leads to its statement."""
    month, by, currency = statement.billing_period, statement.bill_to_type, charges[0].currency
    before, shown = previous_month(month), charges[:OFFERED]
    history = statements.history(month, by)
    last = [_charged(history.get(before), each) for each in shown]
    compares = is_over(month, statements.today)
    documents = statement.documents_by_unit
    due = [documents[currency, each.bill_to].amount_due for each in shown] if documents else None
    totals = {"charge": exact_sum(each.total for each in charges)}
    row = plain_table(
        pd.DataFrame(
            {
                "unit": [each.bill_to for each in shown],
                "name": [named(each.bill_to) for each in shown],
                "charge": [each.total for each in shown],
                "last": last,
                "change": [
                    each.total - then if compares and then is not None else None
                    for each, then in zip(shown, last, strict=True)
                ],
                **({"due": due} if due else {}),
            }
        ),
        columns={
            "name": Column(CHARGED[by].label, pinned=True),
            "charge": Column("Total charge", "money"),
            **({"due": Column("Amount due", "money")} if due else {}),
            "last": Column(short_month(before), "money"),
            "change": Column("Change", "money_change"),
        },
        currency=currency,
        key=f"statements-{by}",
        select=True,
        what="Statements",
        total=totals if len(shown) == len(charges) else None,
    )
    if row is not None:
        address.go({UNIT: [shown[row].bill_to]})


def _charged(month: Mapping[Unit, Charged] | None, charge: Charge) -> Decimal | None:
    """What the unit of a charge was charged in another month; None where that is not known."""
    if month is None:
        return None
    return month.get((charge.currency, charge.bill_to), NOTHING).total


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


def _ask_for_all() -> None:
    st.session_state[ASKED_FOR_ALL] = True


def _archive(statements: Statements, month: str, by: str) -> None:
    """All statements of the month: written with a bar in sight, then offered."""
    name, count = archive_name(month, by), len(statements.of(month, by).charges)
    if is_frozen(statements, month, by):
        make = partial(frozen_archive, statements, month, by)
        download_button(f"All {count:,} statements (ZIP)", make, name, "statement-archive")
        return
    st.button(
        f"All {count:,} statements (ZIP)", icon=":material/folder_zip:", on_click=_ask_for_all
    )
    if not st.session_state.pop(ASKED_FOR_ALL, False):
        return
    bar, content = st.progress(0.0, "Asking for the figures…"), io.BytesIO()

    def show(at: int, of: int) -> None:
        bar.progress(at / of, f"{at:,} of {of:,}")

    write_archive(gathered(statements, month, by), content, show)
    bar.empty()
    download_button(f"Save {name}", content.getvalue, name, "statement-archive")
