"""The head of every page: its title with the month, and the state of its figures."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.dimensions import BY_NAME
from chargeback.errors import Problem
from chargeback.formats import count, month_name
from chargeback.notices import Notice
from chargeback.reports.period_status import notices_of, ties
from chargeback.reports.view import View
from chargeback.ui import about, address, closed_head, download_menu, period, reading
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context
from chargeback.ui.problems import show_problem

FOLDED_ABOVE = 2
"""Notices that block nothing: so many stand on the page, more are folded."""


def draw(context: Context, title: str = "", *, frozen: bool = False) -> None:
    """The page's title with the month, what else it can show, and the state of its figures.

    Args:
        context: what the page draws from.
        title: what stands before the month.
        frozen: whether the page shows a closed month as it was closed, not as the bill is now.
    """
    closed = context.closed if frozen else None
    month, view = month_name(context.view.month), context.view
    with st.container(key="head", horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{title}, {month}" if title else month, anchor=False, width="stretch")
        download_menu.reserve(is_part=bool(view.where))
        period.draw(context.answers, view)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _badges(context)
        about.draw(context, closed)
    if context.is_outcome_awaited:
        reading.draw(context.live)
    if view.where:
        st.caption(f"**Only {plain(_narrowed(view))}**")
    elif address.is_filtered():
        st.caption("This page is always about the whole month: the filters do not apply here.")
    if context.problem:
        show_problem(context.problem, stale=True)
    if isinstance(context.month_end, Problem):
        show_problem(context.month_end, stale=True)
    _say_what_is_known(context, closed)
    for damaged, problem in context.answers.problems.items():
        with st.container(key=f"damaged-{damaged}"):
            show_problem(problem, stale=True)


def _say_what_is_known(context: Context, shown: ClosedMonth | None) -> None:
    """The month's notices, and how what the page shows differs from what was closed."""
    since = closed_head.notices_since(context)
    if shown is not None:
        closed_head.say_despite(shown)
        show_notices([*since, *closed_head.frozen_notices(shown)])
        return
    if context.closed is not None:
        closed_head.say_how_far_off(context, context.closed)
    show_notices([*since, *notices_of(context.answers, context.view.month)])


def show_notices(notices: Sequence[Notice]) -> None:
    """What blocks a month's close stands in full; the rest is folded away where it is long."""
    for each in notices:
        if each.blocks_close:
            st.error(plain(each.words), icon=":material/block:")
    others = [each for each in notices if not each.blocks_close]
    if len(others) <= FOLDED_ABOVE:
        for each in others:
            st.info(plain(each.words), icon=":material/info:")
        return
    with st.expander(count(len(others), "notice") + " about this month", icon=":material/info:"):
        st.markdown("\n".join(f"- {plain(each.words)}" for each in others))


def _narrowed(view: View) -> str:
    """The filters in words: 'team research or search, region us-east-1'."""
    return ", ".join(f"{BY_NAME[name].noun} {' or '.join(values)}" for name, values in view.where)


def _badges(context: Context) -> None:
    if context.closed is not None:
        closed_head.badge(context.closed)
    elif context.is_invoiced:
        st.badge(
            "Invoiced",
            icon=":material/task_alt:",
            color="green",
            help="The month is over, every charge is on an invoice, and no question about it is "
            "open. AWS may still restate it.",
        )
    else:
        st.badge(
            "Provisional",
            icon=":material/hourglass_top:",
            color="orange",
            help="Do not post this month yet: it is not over, not fully invoiced, or a question "
            "about it is open.",
        )
    if context.view.where:
        st.badge("Part of the bill", icon=":material/filter_alt:", color="blue")
    elif ties(context.answers, context.view.unfiltered):
        st.badge(
            "Adds up to the bill",
            icon=":material/check:",
            color="gray",
            help="Everything shown adds up to the bill as it was read, to the last digit. See "
            "Reconciliation for whether AWS invoiced the same.",
        )
    else:
        st.badge("Does not add up to the bill", icon=":material/error:", color="red")
    if context.workspace.settings.is_demo:
        demo_badge()


def demo_badge() -> None:
    """Says that nothing here is anybody's bill."""
    st.badge("Demo data", color="orange")
