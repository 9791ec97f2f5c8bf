"""What of the bill the address asks for, and the filters that narrow it."""

from __future__ import annotations

import streamlit as st

from chargeback.access.rows import Rows
from chargeback.dimensions import BY_NAME, FILTERS, Dimension
from chargeback.formats import count, month_name
from chargeback.reports.answers import Answers
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.ui import address
from chargeback.ui.markdown import plain

OFFERED = 300
"""How many values a filter lists; with a few hundred thousand tenants the browser would stall."""


def asked_view(answers: Answers, rows: Rows) -> View:
    """What the address asks for, of the rows that the reader may see; says what means nothing."""
    month = _month(answers.months)
    currencies = list(answers.bill(month).totals)
    currency = address.choice(address.CURRENCY, currencies) if currencies else ""
    # Always in the address: a link to "the newest month" would show another one later.
    address.write({address.MONTH: [month], address.CURRENCY: _said(currency, currencies)})
    where = tuple((each.name, asked) for each in FILTERS if (asked := _asked(each.name)))
    return View(month, currency, rows, where)


def draw_filters(answers: Answers, view: View) -> None:
    """Draws the filters in the sidebar, folded, with the number of those that are set."""
    options = filter_options(answers, view.unfiltered)
    _say_lacking(view.where, options, view.month)
    label = f"Filters · {len(view.where)}" if view.where else "Filters"
    # With a key it stays open while its label counts.
    with st.sidebar.expander(label, key="filters", icon=":material/filter_alt:"):
        for each in FILTERS:
            _draw_filter(each, list(options[each.name]))


def _month(months: list[str]) -> str:
    asked = address.value(address.MONTH)
    month = asked if asked in months else months[0]
    if asked and asked != month:
        st.warning(plain(f"There is no billing period {asked}; showing {month_name(month)}."))
    return month


def _said(currency: str, currencies: list[str]) -> list[str]:
    """How the address says the currency: where there is one only, it need not."""
    is_asked = address.value(address.CURRENCY).upper() == currency
    return [currency] if is_asked or len(currencies) > 1 else []


def _asked(name: str) -> tuple[str, ...]:
    """The values of a filter, each once."""
    return tuple(dict.fromkeys(address.values(name)))


def _say_lacking(
    where: tuple[tuple[str, tuple[str, ...]], ...], options: dict[str, dict[str, str]], month: str
) -> None:
    """Says which values of the filters the month's bill does not hold; they stay asked for.

    Without them the page would show all of the bill under an address that asks for a part.
    """
    lacking = [
        f"{BY_NAME[name].noun} {value}"
        for name, values in where
        for value in values
        if value not in options.get(name, {})
    ]
    if lacking:
        said = f"Not on the bill of {month_name(month)}: {', '.join(lacking)}."
        st.warning(plain(said), icon=":material/filter_alt:")


def _draw_filter(dimension: Dimension, options: list[str]) -> None:
    name, asked = dimension.name, list(_asked(dimension.name))
    is_cut = len(options) > OFFERED
    st.multiselect(
        dimension.label,
        list(dict.fromkeys([*options[:OFFERED], *asked])),
        asked,
        placeholder=f"All {dimension.plural}",
        help=f"The {OFFERED} largest of {count(len(options), dimension.noun)}; enter others by "
        "their exact name."
        if is_cut
        else None,
        accept_new_options=is_cut,
        **address.control(name, asked),
    )
