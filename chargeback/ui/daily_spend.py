"""The chart of a month's spend by day: its title, what it says in words, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

import pandas as pd
import streamlit as st

from chargeback.formats import count, long_day_name, money
from chargeback.money import ZERO
from chargeback.reports.answers import Answers, at_once
from chargeback.reports.daily import daily_trend, undated_by_kind
from chargeback.reports.leading import leading_units
from chargeback.reports.overview import moved_most, overview
from chargeback.reports.ranking import OTHERS, largest_units, others_named
from chargeback.reports.view import View
from chargeback.ui import charts, metrics, theme, undated


def ask(
    answers: Answers, view: View, by: str, ranking: pd.DataFrame
) -> tuple[pd.DataFrame, Sequence[str]]:
    """The UnitDays of a view, and the units that lead over all months."""
    undated_by_kind(answers, view)
    trend = daily_trend(answers, view, by, largest_units(ranking))
    return trend, leading_units(answers, view, by, theme.SERIES)


def ask_with_movers(answers: Answers, view: View, today: date, by: str) -> None:
    """Asks at once for what Overview shows by one of its dimensions: what is drawn asks again."""
    answers.made_once(_ask_with_movers, view, today, by)


def _ask_with_movers(answers: Answers, view: View, today: date, by: str) -> None:
    shown = overview(answers, view, today)
    days = partial(ask, answers, view, by, shown.rankings[by])
    if shown.summary.previous is None:
        days()
    else:
        at_once(days, partial(moved_most, answers, view, today, by))


def draw(  # noqa: PLR0913 -- each says what stands in the chart
    answers: Answers, view: View, by: str, *, noun: str, ranking: pd.DataFrame, file_name: str
) -> None:
    """Every day's spend, and how the chart and what is not in it add up to the month.

    Args:
        answers: of the store.
        view: what is shown.
        by: the dimension that each day is split by.
        noun: what one of its units is.
        ranking: of the view by that dimension.
        file_name: of the days as a file; ends in .csv.
    """
    trend, leading = ask(answers, view, by, ranking)
    names = dict(zip(ranking["unit"], ranking["name"], strict=True))
    names[OTHERS] = others_named(ranking, noun)
    file = trend.replace({"unit": {OTHERS: names[OTHERS]}})
    title, says = f"Spend by day and {noun}", highest_day(trend, view.currency)
    metrics.heading(title, file, file_name, says=says)
    if says:
        base = st.context.theme.type or "light"
        st.plotly_chart(
            charts.daily_chart(trend, names, view.currency, base, leading),
            config=charts.CHART_CONFIG,
            key=f"days by {by}",
            alt=f"{title}: {says}. {in_words(trend, names, view.currency)}",
        )
    undated.say(answers, view)


def highest_day(trend: pd.DataFrame, currency: str) -> str:
    """The day that cost most: 'highest on 12 October, $6,431.20'; '' without a day."""
    days = _by_day(trend)
    if not days:
        return ""
    day = max(sorted(days), key=days.__getitem__)
    return f"highest on {long_day_name(day)}, {money(days[day], currency)}"


def in_words(trend: pd.DataFrame, names: Mapping[str, str], currency: str) -> str:
    """What the chart shows, for those who can't see it: its days, and what each part comes to."""
    dated = trend[trend["usage_date"].notna()]
    parts: dict[str, Decimal] = {}
    for unit, cost in zip(dated["unit"], dated["cost"], strict=True):
        parts[unit] = parts.get(unit, ZERO) + cost
    said = [f"{names.get(unit, unit)} {money(cost, currency)}" for unit, cost in parts.items()]
    return f"{count(dated['usage_date'].nunique(), 'day')}, in all: {', '.join(said)}."


def _by_day(trend: pd.DataFrame) -> dict[date, Decimal]:
    days: dict[date, Decimal] = {}
    for day, cost in zip(trend["usage_date"], trend["cost"], strict=True):
        if not pd.isna(day):
            days[day] = days.get(day, ZERO) + cost
    return days
