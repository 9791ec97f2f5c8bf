"""A restated month on the Close page: what changed, by cause and by unit, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.closing.restated import MonthRestatement
from chargeback.closing.restated_cents import (
    Changed,
    by_cause,
    by_unit,
    causes_of_unit,
    due,
    in_words,
    moved_between_units,
)
from chargeback.closing.standing import Standing, posted_since
from chargeback.closing.statements import Statements
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.formats import count, money, month_name, signed_money
from chargeback.money import exact_sum
from chargeback.ui import address
from chargeback.ui.adjustments import causes_in_words
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import go_to
from chargeback.ui.page_context import Context
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table

BY: Final = "by"
"""In the address: by which kind of unit the differences are shown."""
AMOUNTS: Final = {
    "closed": Column("When closed", "money"),
    "now": Column("Now", "money"),
    "difference": Column("Difference", "money_change"),
}


def draw(context: Context, at: Standing) -> None:
    """What changed since the month was closed."""
    st.subheader("What has changed since", anchor=False)
    found, currency = _chosen(at.found), context.view.currency
    _say_where(context.statements, found, currency)
    _draw_causes(found, currency)
    _draw_units(context.statements, found, currency)


def _chosen(found: Sequence[MonthRestatement]) -> MonthRestatement:
    """By the kind of unit that the address asks for."""
    kinds = {each.by: each for each in found}
    labels = {by: CHARGED[by].label for by in kinds}
    if len(kinds) == 1:
        return found[0]
    by = address.choice(BY, list(kinds), labels)
    st.segmented_control(
        "Changes by",
        list(kinds),
        format_func=labels.__getitem__,
        default=by,
        required=True,
        **address.control(BY, by),
    )
    return kinds[by]


def _say_where(statements: Statements, found: MonthRestatement, currency: str) -> None:
    """Where the differences were posted, where the rest stands, and what is not posted."""
    said = [
        f"{signed_money(sums[currency], currency)} was posted with {month_name(month)}."
        for month, sums in posted_since(statements.book, found.closed.month, found.by).items()
        if currency in sums
    ]
    rest = [amount for (each, _), amount in due(statements.book, found).items() if each == currency]
    if rest:
        units = count(len(rest), CHARGED[found.by].noun)
        said.append(
            f"{signed_money(exact_sum(rest), currency)} is still to be posted, to {units}: "
            f"{_until(statements)}"
        )
    if found.holds_attribution_back and (moved := moved_between_units(found, currency)):
        said.append(f"{money(moved, currency)} {_held_back(statements)}")
    for each in said:
        st.markdown(f"- {plain(each)}")


def _until(statements: Statements) -> str:
    month = statements.posting_month
    if not month:
        return "with the next month of the bill that is closed."
    return f"it stands as a provisional adjustment in {month_name(month)}."


def _held_back(statements: Statements) -> str:
    if not statements.workspace.settings.close.post_attribution:
        return "is charged to other units now. It is not posted: [close] post_attribution is off."
    return (
        "is charged to other units now. It is not posted while the newer delivery, which names "
        "fewer of them, waits on Setup."
    )


def _draw_causes(found: MonthRestatement, currency: str) -> None:
    """The bill when it was closed and now, by cause; what did not change comes last."""
    rows = by_cause(found, currency)
    frame = _frame(rows).assign(name=[in_words(each.name).capitalize() for each in rows])
    plain_table(
        frame,
        columns={"name": Column("Cause", pinned=True), **AMOUNTS},
        currency=currency,
        key=f"restated-causes-{currency}",
        what="Changes by cause",
        total=_totals(frame),
    )


def _draw_units(statements: Statements, found: MonthRestatement, currency: str) -> None:
    """Each unit that is charged otherwise now; a row leads to what is behind it."""
    rows = sorted(by_unit(statements.book, found, currency), key=_last_or_small)
    causes = [causes_in_words(causes_of_unit(found, (currency, each.name))) for each in rows]
    frame, dimension = _frame(rows).assign(causes=causes), CHARGED[found.by]
    row = plain_table(
        frame.assign(bill_to=frame["name"]),
        columns={
            "name": Column(dimension.label, pinned=True),
            "difference": AMOUNTS["difference"],
            "causes": Column("Cause"),
            "closed": AMOUNTS["closed"],
            "now": AMOUNTS["now"],
        },
        currency=currency,
        key=f"restated-units-{found.by}-{currency}",
        select=True,
        what=f"Changes by {dimension.noun}",
        total=_totals(frame),
    )
    if row is not None:
        go_to(dimension, rows[row].name)


def _last_or_small(row: Changed) -> tuple[bool, Decimal]:
    return row.name == UNALLOCATED, -abs(row.difference)


def _frame(rows: Sequence[Changed]) -> pd.DataFrame:
    cells = [(each.name, each.closed, each.now, each.difference) for each in rows]
    return pd.DataFrame(cells, columns=["name", *AMOUNTS])


def _totals(frame: pd.DataFrame) -> dict[str, Decimal]:
    return {name: exact_sum(frame[name]) for name in AMOUNTS}
