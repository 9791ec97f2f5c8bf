"""All that Overview shows of a view, whatever a reader clicks on there: worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from chargeback.formats import change_percent
from chargeback.reports.answers import Answers
from chargeback.reports.bridge import bridge
from chargeback.reports.causes import causes
from chargeback.reports.coverage import coverage, deciding_sources
from chargeback.reports.frames import sums
from chargeback.reports.movers import movers
from chargeback.reports.ranking import rank_by_each, top_units
from chargeback.reports.summary import Summary, summarise
from chargeback.reports.usage_mix import unrecognised
from chargeback.reports.view import View

SHOWN = ("tenant", "team", "principal", "model")
"""Whose largest units stand there; projects and cost centers have pages of their own."""
ATTRIBUTED_TO = ("tenant", "team", "principal")
"""Of the attribution that stands there; Coverage shows all of it."""


@dataclass(frozen=True)
class Overview:
    """A view's month against the one before it. Nobody may change what it holds."""

    summary: Summary
    like_for_like: View
    """The view, or the complete days of an open month: what is compared with the month before."""
    not_certain: pd.DataFrame
    """One UncertainMeter per product code, usage type and note."""
    rankings: Mapping[str, pd.DataFrame]
    """The RankedUnits of the view, by each of SHOWN."""
    compared: Mapping[str, pd.DataFrame]
    """Those of `like_for_like`."""
    tops: Mapping[str, pd.DataFrame]
    """The TopUnits of the view, by each of SHOWN."""
    totals: Mapping[str, Mapping[str, Any]]
    """The cost and share that each ranking comes to, and the change_ratio of what is compared."""
    decided: pd.DataFrame
    """SourceCosts."""
    covered: pd.DataFrame
    """One Coverage for each of ATTRIBUTED_TO."""


def overview(answers: Answers, view: View, today: date) -> Overview:
    """What Overview shows of a view on a day."""
    return answers.made_once(_overview, view, today)


def moved_most(answers: Answers, view: View, today: date, by: str) -> pd.DataFrame:
    """The Movers of the same, by one of SHOWN: what changed most since last month, and why."""
    return answers.made_once(_moved_most, view, today, by)


def _moved_most(answers: Answers, view: View, today: date, by: str) -> pd.DataFrame:
    shown = overview(answers, view, today)
    return movers(answers, shown.like_for_like, by, shown.compared[by])


def _overview(answers: Answers, view: View, today: date) -> Overview:
    summary = summarise(answers, view, today)
    like_for_like = view if summary.is_over else view.first_days(summary.days)
    with ThreadPoolExecutor(1) as pool:  # these take as long as all else together
        changes = pool.submit(_ask_changes, answers, summary, like_for_like)
        rankings = rank_by_each(answers, view, SHOWN)
        compared = rankings if summary.is_over else rank_by_each(answers, like_for_like, SHOWN)
        decided = deciding_sources(answers, view, ATTRIBUTED_TO)
        not_certain = unrecognised(answers, view)
        changes.result()
    return Overview(
        summary=summary,
        like_for_like=like_for_like,
        not_certain=not_certain,
        rankings=rankings,
        compared=compared,
        tops={by: top_units(rankings[by], compared[by], by) for by in SHOWN},
        totals={by: _total(rankings[by], compared[by]) for by in SHOWN},
        decided=decided,
        covered=coverage(decided, ATTRIBUTED_TO),
    )


def _ask_changes(answers: Answers, summary: Summary, like_for_like: View) -> None:
    """Asks for what is remembered: what is drawn asks again."""
    if summary.previous is not None:
        bridge(answers, like_for_like)
        causes(answers, like_for_like)


def _total(ranking: pd.DataFrame, compared: pd.DataFrame) -> dict[str, Any]:
    was = sums(compared, "cost", "previous_cost")
    change = change_percent(was["cost"], was["previous_cost"])
    return sums(ranking, "cost", "share") | {"change_ratio": change}
