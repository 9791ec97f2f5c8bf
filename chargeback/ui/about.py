"""About the figures of a page: as of when, what they include, and on request how they are made."""

from __future__ import annotations

from typing import Final

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.formats import moment
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context

BASES: Final = {
    "unblended": "Each line counts at its unblended cost, the price before discounts. Discounts "
    "are lines of their own, and count too.",
    "net": "Each line counts at its net cost, the price after discounts.",
}
"""What a cost basis means."""
PAYERS_DIFFER: Final = (
    "Lines count at their net cost, after discounts, for payer accounts whose discounts are in the "
    "lines; for the others at their unblended cost, with discounts as lines of their own."
)
INCLUDED: Final = "usage, discounts, credits, refunds, fees and tax"
ROUNDING: Final = (
    "Amounts are exact, and rounded to the cent where they are shown. The statement on Chargeback "
    "is rounded so that it adds up both ways. The same amount may therefore differ by a cent "
    "between two pages."
)


def draw(context: Context, closed: ClosedMonth | None = None) -> None:
    """One line, and a button for the rest.

    Args:
        context: what the page draws from.
        closed: the month, if it is shown as it was closed.
    """
    as_of = moment(closed.record.data_as_of if closed else context.manifest.data_as_of)
    currency = context.view.currency
    st.caption(
        plain(f"Bill as of {as_of} · {currency}, tax and discounts included"), width="content"
    )
    with st.popover("About these figures", icon=":material/info:", type="tertiary"):
        st.markdown("\n".join(f"- {plain(each)}" for each in _facts(context)))


def _facts(context: Context) -> list[str]:
    manifest, view = context.manifest, context.view
    basis = context.answers.bill(view.month).basis_in(view.currency)
    return [
        f"Source: {manifest.source}, read with {manifest.engine}.",
        f"Included: all Bedrock charges of the month: {INCLUDED}.",
        BASES.get(basis, PAYERS_DIFFER),
        "All days and times are UTC, as on the AWS bill.",
        ROUNDING,
    ]
