"""Adjustments of closed months, as pages show them beside the charges of a later month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback.closing.adjustment_lines import AdjustmentLine, adjustment_lines, causes_of
from chargeback.closing.restated_cents import in_words
from chargeback.closing.statements import Statements
from chargeback.dimensions import CHARGED
from chargeback.formats import ABSENT, month_name, signed_money
from chargeback.money import exact_sum
from chargeback.statement.build import Statement
from chargeback.statement.documents import Document
from chargeback.statement.unit_names import Named
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table

_AMOUNTS: Final = {
    "adjustment": Column("Adjustment", "money", zero_is_absent=True),
    "due": Column("Amount due", "money"),
}
_DOCUMENT: Final = {"document": Column("Document")}


def in_currency(statement: Statement, currency: str) -> list[AdjustmentLine]:
    """The adjustments of a statement in one currency."""
    return [each for each in adjustment_lines(statement) if each.currency == currency]


def by_month(lines: Sequence[AdjustmentLine]) -> dict[str, Decimal]:
    """What they come to for each month that they correct, in cents."""
    months = dict.fromkeys(each.billing_period for each in lines)
    return {
        month: exact_sum(each.amount for each in lines if each.billing_period == month)
        for month in months
    }


def columns(statement: Statement, currency: str) -> dict[str, Column]:
    """What stands beside the charge: adjustments where there are any, ids once it is closed."""
    documents = _documents(statement, currency)
    return {
        **(_AMOUNTS if any(each.adjustment_amount for each in documents) else {}),
        **(_DOCUMENT if any(each.document_id for each in documents) else {}),
    }


def cells(statement: Statement, currency: str, units: Iterable[str]) -> dict[str, list[Any]]:
    """The cells of those columns, for units in this order; nothing while no month was closed."""
    documents = {each.bill_to: each for each in _documents(statement, currency)}
    mine = [documents.get(unit) for unit in units]
    return {
        "adjustment": [each and each.adjustment_amount for each in mine],
        "due": [each and each.amount_due for each in mine],
        "document": [each.document_id if each else ABSENT for each in mine],
    }


def _documents(statement: Statement, currency: str) -> list[Document]:
    found = statement.documents.documents if statement.documents else ()
    return [each for each in found if each.currency == currency]


def say_provisional(statement: Statement, currency: str) -> None:
    """Says in an open month which corrections of earlier ones are posted when it is closed."""
    lines = in_currency(statement, currency)
    if statement.closed or not lines:
        return
    amounts = " and ".join(
        f"{month_name(month)} ({signed_money(amount, currency)})"
        for month, amount in by_month(lines).items()
    )
    posted = month_name(statement.billing_period)
    said = f"Includes provisional adjustments of {amounts}, posted when {posted} is closed."
    st.info(plain(said), icon=":material/difference:")


def draw_of_month(statements: Statements, made: Sequence[Statement]) -> None:
    """What a month posts, or posted, of those closed before it, by each kind of unit."""
    if not any(map(adjustment_lines, made)):
        return
    st.subheader("Adjustments posted with it", anchor=False)
    for currency in made[0].bill:
        for month, amount in by_month(in_currency(made[0], currency)).items():
            said = f"{month_name(month)}: {signed_money(amount, currency)} in all."
            st.caption(plain(said))
        for statement in made:
            _draw_by_kind(statements, statement, currency)


def _draw_by_kind(statements: Statements, statement: Statement, currency: str) -> None:
    """Unit, amount, month, cause, document."""
    lines, by = in_currency(statement, currency), statement.bill_to_type
    if not lines:
        return
    st.caption(plain(f"To each {CHARGED[by].noun}"))
    _draw(
        lines,
        {
            "bill_to": Column(CHARGED[by].label, pinned=True),
            "amount": Column("Adjustment", "money_change"),
            "month": Column("Corrects"),
            "cause": Column("Cause"),
            "document": Column("Document"),
        },
        causes=[causes_in_words(causes_of(statements, each, by)) for each in lines],
        key=f"adjustments-{by}-{currency}",
        what=f"Adjustments by {CHARGED[by].noun}",
    )


def causes_in_words(causes: Sequence[str]) -> str:
    """'Late usage, credit'."""
    return ", ".join(map(in_words, causes)).capitalize() or ABSENT


def draw_of_unit(statement: Statement, currency: str, unit: str, named: Named) -> None:
    """What a statement posts to one unit of earlier months."""
    lines = [each for each in in_currency(statement, currency) if each.bill_to == unit]
    if not lines:
        return
    st.subheader(plain(f"Adjustments to {named(unit)}"), anchor=False)
    _draw(
        lines,
        {
            "month": Column("Corrects", pinned=True),
            "amount": Column("Adjustment", "money_change"),
            "document": Column("Document"),
        },
        key=f"adjustments-{currency}-{unit}",
        what="Adjustments",
    )


def _draw(
    lines: Sequence[AdjustmentLine],
    columns: dict[str, Column],
    *,
    key: str,
    what: str,
    causes: Sequence[str] = (),
) -> None:
    frame = pd.DataFrame(
        {
            "bill_to": [each.bill_to for each in lines],
            "month": [month_name(each.billing_period) for each in lines],
            "cause": causes or [ABSENT] * len(lines),
            "document": [each.original_document_id or ABSENT for each in lines],
            "amount": [each.amount for each in lines],
        }
    )
    total = {"amount": exact_sum(each.amount for each in lines)}
    currency = lines[0].currency
    plain_table(frame, columns=columns, currency=currency, key=key, what=what, total=total)
