"""What each day cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypedDict

import pandas as pd

from chargeback.money import per_million
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.ranking import OTHERS
from chargeback.reports.view import View


class UnitDay(TypedDict):
    """A unit's cost on one day, in the view's currency."""

    usage_date: date | None
    """None for what belongs to no day of the month."""
    unit: str
    cost: Decimal


class Day(TypedDict):
    """All of one usage date; amounts in the view's currency."""

    usage_date: date | None
    cost: Decimal
    usage_cost: Decimal
    other_cost: Decimal
    """What is not usage: tax, fees, credits, refunds, discounts."""
    tokens: Decimal
    token_cost: Decimal
    line_count: int
    """CUR lines."""
    cost_per_million: Decimal | None
    """Tokens; None without."""


def daily_trend(answers: Answers, view: View, dimension: str, named: Sequence[str]) -> pd.DataFrame:
    """UnitDays of the `named` units, of OTHERS and of `(unallocated)`; nobody may change them."""
    return answers.made_once(_daily_trend, view, dimension, tuple(named))


def _daily_trend(
    answers: Answers, view: View, dimension: str, named: tuple[str, ...]
) -> pd.DataFrame:
    answer = answers.ask("days", "daily", view, dimension=dimension, named=named)
    trend = frame_of(UnitDay, answer.to_pylist())
    return trend.assign(unit=trend["unit"].fillna(OTHERS))


def list_days(answers: Answers, view: View) -> pd.DataFrame:
    """One Day per usage date, newest first."""
    rows = answers.ask("day_table", "daily", view).to_pylist()
    for row in rows:
        row["cost_per_million"] = per_million(row["token_cost"], row["tokens"])
    return frame_of(Day, rows)


def undated_by_kind(answers: Answers, view: View) -> dict[str, Decimal]:
    """What belongs to no day of the month, by kind (queries/reports/undated.sql), largest first."""
    rows = answers.ask("undated", "daily", view).to_pylist()
    return {row["kind"]: row["cost"] for row in rows}
