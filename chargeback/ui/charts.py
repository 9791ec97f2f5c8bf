"""Charts. Amounts become floats here and in waterfall.py alone: a pixel is all that they decide.

Grid, text and background come from Streamlit's theme (`st.plotly_chart(theme="streamlit")`), so
that they are right in light and dark; only the colours of the bars are set.
"""

from __future__ import annotations

import calendar
import html
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pandas as pd
from plotly.graph_objects import Figure  # type: ignore[attr-defined]

from chargeback.dimensions import UNALLOCATED
from chargeback.formats import compact_money, cut, day_name, money, percent, short_month
from chargeback.reports.ranking import OTHERS
from chargeback.ui.theme import COLOURS, Base, colours

Json = dict[str, Any]

CHART_HEIGHT: Final = 340
"""Pixels; a skeleton of the same height keeps the page from jumping when Plotly arrives."""

CHART_CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}

BASE_LAYOUT: Final[Json] = {
    "dragmode": False,
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
}
"""Of every chart: the page's own background, and nothing to drag."""

_NAME_LENGTH: Final = 32
_TEXT_PIXELS: Final = 13
"""Large enough to be read where a wide chart is scaled to paper."""
_Y_TICKS: Final = 4
_X_MONTHS: Final = 7
_ZERO: Final = Decimal()
_HEADROOM: Final = 1.05


def daily_chart(
    frame: pd.DataFrame,
    names: Mapping[str, str],
    currency: str,
    theme_base: Base,
    leading: Sequence[str],
) -> Figure:
    """Spend by day, one bar per day, the largest unit at the bottom.

    Args:
        frame: Reports.daily_trend's; what belongs to no day is left out.
        names: what to call each unit, `others` included; the unit itself where it has none.
        currency: of all amounts.
        theme_base: whether the page is light or dark now.
        leading: the units that lead over all months, which decide the colours.
    """
    costs = _by_unit(frame)
    days = sorted({day for by_day in costs.values() for day in by_day})
    shades = colours(list(costs), leading, theme_base)
    traces = [
        _bars(days, by_day, currency, label(names.get(unit, unit)), shades[unit])
        for unit, by_day in costs.items()
    ]
    stacks = [[by_day.get(day, _ZERO) for by_day in costs.values()] for day in days]
    layout = {
        **_layout(),
        "barmode": "relative",
        "showlegend": len(costs) > 1,
        "hovermode": "x unified",
        "xaxis": _day_axis(days),
        "yaxis": _money_axis(stacks, currency),
    }
    return _figure([*traces, _totals(days, stacks, currency)], layout)


def share_chart(frame: pd.DataFrame, names: Mapping[str, str], chosen: str, base: Base) -> Figure:
    """Shares by month, a line for each series; the chosen one stands out.

    Args:
        frame: columns `billing_period`, `share` (a ratio, None where there is none), and
            `dimension`, which tells the series apart.
        names: what to call each series, in the order of their colours.
        chosen: one of them.
        base: whether the page is light or dark now.
    """
    traces = [
        _share_line(frame[frame["dimension"] == name], named, shade, is_chosen=name == chosen)
        for (name, named), shade in zip(names.items(), COLOURS[base], strict=False)
    ]
    months = sorted(set(frame["billing_period"]))
    layout = {
        **_layout(),
        "hovermode": "x unified",
        "xaxis": {
            "type": "category",
            "categoryarray": months,
            "tickvals": months[:: _every(len(months))],
            "ticktext": [_short_month(month) for month in months[:: _every(len(months))]],
            "tickangle": 0,
            "title": {"text": ""},
            "showspikes": False,
        },
        "yaxis": {
            "range": [0, 1.02],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "tickformat": ".0%",
            "title": {"text": ""},
        },
    }
    return _figure(traces, layout)


def _share_line(series: pd.DataFrame, name: str, colour: str, *, is_chosen: bool) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers" if is_chosen or len(series) == 1 else "lines",
        "name": label(name),
        "x": list(series["billing_period"]),
        "y": [None if share is None else float(share) for share in series["share"]],
        "line": {"color": colour, "width": 3 if is_chosen else 1.5},
        "opacity": 1 if is_chosen else 0.6,
        "customdata": [percent(share) for share in series["share"]],
        "hovertemplate": "%{customdata}",
    }


def _every(months: int) -> int:
    """Which months are named below an axis, so that a phone has room for them."""
    return 1 if months <= _X_MONTHS else 2


def _short_month(month: str) -> str:
    return f"{short_month(month)[:3]} {month[2:4]}"


def label(text: str) -> str:
    """Any text, so that Plotly shows it letter by letter; it draws some HTML, links included."""
    return html.escape(cut(text, _NAME_LENGTH), quote=False)


def _by_unit(frame: pd.DataFrame) -> dict[str, dict[date, Decimal]]:
    """Named units, largest first; then others and `(unallocated)`, whatever their size."""
    costs: dict[str, dict[date, Decimal]] = {}
    dated = frame[frame["usage_date"].notna()]
    for day, unit, cost in zip(dated["usage_date"], dated["unit"], dated["cost"], strict=True):
        costs.setdefault(unit, {})[day] = cost
    last = {OTHERS: 1, UNALLOCATED: 2}
    ranked = sorted(costs, key=lambda unit: (last.get(unit, 0), -sum(costs[unit].values()), unit))
    return {unit: costs[unit] for unit in ranked}


def _bars(
    days: Sequence[date], costs: Mapping[date, Decimal], currency: str, name: str, colour: str
) -> Json:
    # The name stays out of the template: there, a name such as %{x} would be filled in.
    return {
        "type": "bar",
        "name": name,
        "x": list(days),
        "y": [float(costs.get(day, _ZERO)) for day in days],
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [money(costs.get(day, _ZERO), currency) for day in days],
        "hovertemplate": "%{customdata}",
    }


def _totals(days: Sequence[date], stacks: Sequence[Sequence[Decimal]], currency: str) -> Json:
    """The day's total, which only the hover box shows."""
    totals = [sum(stack, _ZERO) for stack in stacks]
    return {
        "type": "scatter",
        "name": "<b>Total</b>",
        "x": list(days),
        "y": [float(total) for total in totals],
        "mode": "markers",
        "marker": {"opacity": 0},
        "customdata": [money(total, currency) for total in totals],
        "hovertemplate": "<b>%{customdata}</b>",
        "showlegend": False,
    }


def _figure(traces: list[Json], layout: Json) -> Figure:
    return Figure(traces, layout)  # type: ignore[no-untyped-call]


def _layout() -> Json:
    return {
        **BASE_LAYOUT,
        "height": CHART_HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "bargap": 0.18,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.12,
            "yanchor": "top",
            "title": {"text": ""},
            "font": {"size": _TEXT_PIXELS},
            "itemclick": False,
            "itemdoubleclick": False,
        },
    }


def _day_axis(days: Sequence[date]) -> Json:
    """All days of the month, so that the rest of an open month is seen to be missing."""
    if not days:
        return {"visible": False}
    first = days[0].replace(day=1)
    month = [
        first + timedelta(days=n) for n in range(calendar.monthrange(first.year, first.month)[1])
    ]
    mondays = [day for day in month if day.weekday() == calendar.MONDAY]
    return {
        "type": "date",
        "range": [f"{first - timedelta(days=1)} 12:00", f"{month[-1]} 12:00"],
        "tickvals": mondays,
        "ticktext": [day_name(day) for day in mondays],
        "tickangle": 0,
        "tickfont": {"size": _TEXT_PIXELS},
        "title": {"text": ""},
        "showspikes": False,
        "unifiedhovertitle": {"text": "%{x|%-d %b}"},
    }


def _money_axis(stacks: Sequence[Sequence[Decimal]], currency: str) -> Json:
    """Few ticks, in whole units of the currency: '$4k'."""
    highest = float(max((sum(cost for cost in stack if cost > 0) for stack in stacks), default=0))
    lowest = float(min((sum(cost for cost in stack if cost < 0) for stack in stacks), default=0))
    step = _step((highest - lowest) / _Y_TICKS)
    ticks = [n * step for n in range(math.ceil(lowest / step), math.floor(highest / step) + 1)]
    return {
        "tickvals": ticks,
        "ticktext": [compact_money(Decimal(tick), currency) for tick in ticks],
        "tickfont": {"size": _TEXT_PIXELS},
        "range": [lowest * _HEADROOM, highest * _HEADROOM or 1],
        "title": {"text": ""},
        "zeroline": lowest < 0,
    }


def _step(at_least: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    power = int(10 ** math.floor(math.log10(max(at_least, 1))))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= at_least)
