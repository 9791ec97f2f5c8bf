"""What the head of a page says of a closed month: who closed it, and where the page differs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.closing.standing import restated_notices
from chargeback.dimensions import page_file
from chargeback.formats import date_name, moment, money
from chargeback.money import ZERO, cents
from chargeback.notices import Notice
from chargeback.ui import address, problems
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context

PAGE = page_file("close")


def badge(closed: ClosedMonth) -> None:
    """Says that the month is closed; by whom and when on request."""
    record = closed.record
    st.badge(
        "Closed",
        icon=":material/lock:",
        color="green",
        help=plain(f"Closed by {record.who}, {moment(record.when)}: {record.note}"),
    )


def link(label: str = "Close") -> None:
    """A way to the page where months are closed."""
    st.page_link(PAGE, label=label, icon=":material/lock:", query_params=address.link())


def frozen_notices(closed: ClosedMonth) -> Sequence[Notice]:
    """What was known of the month when it was closed; what it was closed despite stands apart."""
    notices = closed.statement(closed.record.by[0]).notices
    return [each for each in notices if not each.blocks_close]


def say_despite(closed: ClosedMonth) -> None:
    """What stood in the way of the close, and was overridden."""
    for each in closed.record.despite:
        st.warning(plain(f"Closed despite: {each.words}"), icon=":material/lock_open:")


def notices_since(context: Context) -> list[Notice]:
    """Whether the bill, or what the program makes of it, has changed since the close.

    What keeps it from being told is shown.
    """
    if context.closed is not None:
        with problems.shown_problems():
            return list(restated_notices(context.statements, context.view.month))
    return []


def say_how_far_off(context: Context, closed: ClosedMonth) -> None:
    """On a page of the bill as it is now: by how much its total is not what was closed."""
    if said := how_far_off(context, closed):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(plain(said), width="content")
            link()


def how_far_off(context: Context, closed: ClosedMonth) -> str:
    """The same in words; '' where total and rules are those of the close."""
    currency, on = context.view.currency, date_name(closed.record.when.date())
    before = _in_cents(closed.record.bill, currency)
    now = _in_cents(context.answers.bill(closed.month).totals, currency)
    if now != before:
        return (
            f"Closed at {money(before, currency)} on {on}; the bill now comes to "
            f"{money(now, currency)}. Chargeback shows what was closed."
        )
    if context.statements.methodology != closed.record.methodology_version:
        return (
            f"Closed on {on} under other rules: who pays may differ here from Chargeback, which "
            "shows what was closed."
        )
    return ""


def _in_cents(bill: dict[str, Decimal], currency: str) -> Decimal:
    return cents(bill.get(currency, ZERO))
