"""The control beside a page's title: which billing period it shows, and in which currency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from chargeback.formats import month_name
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.ui import address

WIDTHS: Final = {address.MONTH: 156, address.CURRENCY: 96}
"""Pixels: as wide as the longest choice."""


def draw(answers: Answers, view: View) -> None:
    """Draws the ways to the months beside, the billing period, and the currency."""
    months, currencies = answers.months, list(answers.bill(view.month).totals)
    at = months.index(view.month)
    with st.container(key="period", horizontal=True, gap=None, width="content"):
        _draw_step("before", months[at + 1 : at + 2])
        _draw_step("after", months[at - 1 : at] if at else [])
        _draw_choice("Billing period", address.MONTH, months, view.month, month_name)
    if len(currencies) > 1:
        _draw_choice("Currency", address.CURRENCY, currencies, view.currency)


def _draw_step(side: str, month: list[str]) -> None:
    """A way to the month beside; without one it stays, so that the other does not move."""
    icon = {"before": ":material/chevron_left:", "after": ":material/chevron_right:"}[side]
    st.button(
        f"Month {side}",
        key=f"month-{side}",
        icon=icon,
        type="tertiary",
        disabled=not month,
        on_click=address.write,
        args=({address.MONTH: month},),
    )


def _draw_choice(
    label: str, name: str, options: list[str], chosen: str, named: Callable[[str], str] = str
) -> None:
    st.selectbox(
        label,
        options,
        options.index(chosen),
        format_func=named,
        label_visibility="collapsed",
        width=WIDTHS[name],
        **address.control(name, chosen),
    )
