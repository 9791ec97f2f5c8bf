"""Who or what spent how much: the units of a dimension, largest first."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TypedDict

import pandas as pd
import pyarrow as pa

from chargeback.billing_period import months_until, previous_month
from chargeback.dimensions import BY_NAME, FILTERS, UNALLOCATED
from chargeback.formats import change_percent
from chargeback.money import ZERO, per_million, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of, priced_sums, sums, total
from chargeback.reports.summary import HISTORY_MONTHS
from chargeback.reports.view import View

OTHERS = "\0others"
"""Stands for all units without a name of their own; no tag value can hold its first character."""
LARGEST = 5
CALLERS = "iam_principal"
TOLD_APART = 200
"""Callers as billed that a ranking tells apart; a role may have millions of sessions."""

Row = dict[Hashable, Any]


class RankedUnit(TypedDict):
    """One unit of a dimension; amounts in the view's currency."""

    unit: str
    name: str
    """How people call it."""
    account: str
    principal_type: str
    cost: Decimal
    previous_cost: Decimal
    """In the month before."""
    change: Decimal
    share: Decimal | None
    """Of the view's cost; None when that is zero."""
    tokens: Decimal
    token_cost: Decimal
    """Of the lines that are tokens."""
    cost_per_million: Decimal | None
    """Tokens; None without."""
    history: list[float]
    """Costs of up to 13 months, oldest first, for a sparkline; of two if the view is of days."""


class TopUnit(TypedDict):
    """One of the largest units, all others together, or what is unallocated."""

    unit: str
    """OTHERS for the others."""
    name: str
    cost: Decimal
    share: Decimal | None
    """Of the ranking's cost."""
    change: Decimal
    """Against the month before, over what is compared with it."""
    change_ratio: Decimal | None
    """None where it says nothing."""


def rank(answers: Answers, view: View, dimension: str) -> pd.DataFrame:
    """One RankedUnit per unit, largest first, `(unallocated)` last.

    Of callers as billed the largest, then OTHERS; the column `units` says how many each row is.
    """
    if dimension == CALLERS:
        return _rank_callers(answers, view, None)
    return rank_by_each(answers, view, (dimension,))[dimension]


def rank_alike(answers: Answers, view: View, dimension: str, ranking: pd.DataFrame) -> pd.DataFrame:
    """`rank` of another view, which tells the same units apart as `ranking`."""
    if dimension == CALLERS and OTHERS in set(ranking["unit"]):
        return _rank_callers(answers, view, tuple(ranking["unit"]))
    return rank(answers, view, dimension)


def _rank_callers(answers: Answers, view: View, named: tuple[str, ...] | None) -> pd.DataFrame:
    months = _months(view)
    answer = answers.ask(
        "caller_ranking",
        view.grain,
        view.since(months[0]),
        previous_month=previous_month(view.month),
        longest=TOLD_APART,
        named=named,
    )
    ranking = _ranking(answer, months).assign(units=answer["units"].to_pylist())
    is_others = ranking["unit"].isna()
    names = [f"{number:,} other callers" for number in ranking.loc[is_others, "units"]]
    ranking.loc[is_others, "name"] = names
    return ranking.assign(unit=ranking["unit"].fillna(OTHERS))


def rank_by_each(
    answers: Answers, view: View, dimensions: Collection[str]
) -> dict[str, pd.DataFrame]:
    """The ranking by each dimension."""
    months = _months(view)
    found = answers.ask_by_each(
        "ranking",
        view.grain,
        view.since(months[0]),
        dimensions,
        previous_month=previous_month(view.month),
    )
    return {dimension: _ranking(answer, months) for dimension, answer in found.items()}


def _months(view: View) -> list[str]:
    return months_until(view.month, 2 if view.days else HISTORY_MONTHS)


def _ranking(answer: pa.Table, months: list[str]) -> pd.DataFrame:
    if not answer.num_rows:
        return frame_of(RankedUnit, ())
    # By column: a bill may have tens of thousands of units, and a row of each takes longer to make
    # than all else.
    columns: dict[str, list[Any]] = answer.to_pydict()
    costs, before = columns["cost"], columns["previous_cost"]
    whole = sum(costs, ZERO)
    priced = zip(columns["token_cost"], columns["tokens"], strict=True)
    places = {month: place for place, month in enumerate(months)}
    columns["change"] = [cost - was for cost, was in zip(costs, before, strict=True)]
    columns["share"] = [share_of(cost, whole) for cost in costs]
    columns["cost_per_million"] = [per_million(cost, tokens) for cost, tokens in priced]
    columns["history"] = [_sparkline(history, places) for history in columns["history"]]
    return pd.DataFrame({name: columns[name] for name in RankedUnit.__annotations__})


def top_models(
    answers: Answers, view: View, dimension: str, ranking: pd.DataFrame | None = None
) -> dict[str, str]:
    """Which model each unit, of a ranking if one is given, spent most on."""
    named = None if ranking is None else tuple(ranking["unit"])
    answer = answers.ask("top_models", view.grain, view, dimension=dimension, named=named)
    return {row["unit"]: row["top_model"] for row in answer.to_pylist()}


def name_of(answers: Answers, view: View, dimension: str, unit: str) -> str:
    """How people call a unit of a dimension: an account by its name, a session by its own."""
    previous = previous_month(view.month)
    found = answers.ask(
        "ranking",
        view.grain,
        view.narrowed(dimension, unit).since(previous),
        dimension=dimension,
        previous_month=previous,
    )
    return found["name"][0].as_py() if found.num_rows else unit


def filter_options(answers: Answers, view: View) -> dict[str, dict[str, str]]:
    """For each filter its values in the month, largest first, with the name to show.

    Nobody may change what it gives.
    """
    return answers.made_once(_filter_options, view)


def _filter_options(answers: Answers, view: View) -> dict[str, dict[str, str]]:
    found = answers.ask_by_each("units", view.grain, view, [each.name for each in FILTERS])
    return {name: _options(answer, BY_NAME[name].blank) for name, answer in found.items()}


def _options(answer: pa.Table, blank: str) -> dict[str, str]:
    rows = answer.to_pylist()
    return {row["unit"] or blank: row["name"] or row["unit"] or blank for row in rows}


def largest_units(ranking: pd.DataFrame, count: int = LARGEST) -> list[str]:
    """The units of a ranking that cost most this month; what is no single unit is left out."""
    is_one = ~ranking["unit"].isin([OTHERS, UNALLOCATED])
    return list(ranking.loc[is_one & (ranking["cost"] != 0), "unit"].head(count))


def others_named(ranking: pd.DataFrame, what: str, count: int = LARGEST) -> str:
    """How the units that are not among the largest are called together: '7 other tenants'."""
    shown = {*largest_units(ranking, count), UNALLOCATED}
    number = unit_count(ranking[~ranking["unit"].isin(shown)])
    return f"{number} other {what}" + ("" if number == 1 else "s")


def unit_count(ranking: pd.DataFrame) -> int:
    """How many units the rows of a ranking stand for."""
    return int(ranking["units"].sum()) if "units" in ranking else len(ranking)


def top_units(
    ranking: pd.DataFrame, compared: pd.DataFrame, what: str, count: int = LARGEST
) -> pd.DataFrame:
    """A ranking cut to TopUnits: its largest, the others, and `(unallocated)`; adds up to it.

    Args:
        ranking: of the whole view.
        compared: of what is compared with the month before: the same, or the same days.
        what: what a unit is, as one word: 'tenant'.
        count: how many units to name.
    """
    others: Row = {"unit": OTHERS, "name": others_named(ranking, what, count)}
    named = {*largest_units(ranking, count), UNALLOCATED}
    pairs = zip(compared["change"], compared["previous_cost"], strict=True)
    before = dict(zip(compared["unit"], pairs, strict=True))
    top: dict[str, Row] = {}
    for unit, name, cost in zip(ranking["unit"], ranking["name"], ranking["cost"], strict=True):
        head: Row = {"unit": unit, "name": name} if unit in named else others
        new: Row = {**head, "cost": ZERO, "change": ZERO, "before": ZERO}
        change, was = before.get(unit, (ZERO, ZERO))
        found = top.setdefault(head["unit"], new)
        found["cost"] += cost
        found["change"] += change
        found["before"] += was
    whole = total(ranking)
    for found in top.values():
        found["share"] = share_of(found["cost"], whole)
        found["change_ratio"] = found["change"] / found["before"] if found["before"] > 0 else None
    return frame_of(TopUnit, top.values())


def with_same_days(ranking: pd.DataFrame, same: pd.DataFrame) -> pd.DataFrame:
    """The ranking of an open month, its change_percent over the same days of the month before.

    Adds the columns same_days_cost, same_days_previous_cost and change_percent (a ratio; None where
    nothing or a credit was there before).
    """
    pairs = zip(same["cost"], same["previous_cost"], strict=True)
    known = dict(zip(same["unit"], pairs, strict=True))
    found = [known.get(unit, (ZERO, ZERO)) for unit in ranking["unit"]]
    now, before = [cost for cost, _ in found], [was for _, was in found]
    changes = [(a - b) / b if b > 0 else None for a, b in zip(now, before, strict=True)]
    return ranking.assign(
        same_days_cost=now,
        same_days_previous_cost=before,
        change_percent=pd.Series(changes, index=ranking.index, dtype=object),
    )


def ranking_total(ranking: pd.DataFrame) -> dict[str, Any]:
    """All units of a ranking together, by its columns: one RankedUnit without a name.

    Prices and changes are of the sums; change_percent is over what with_same_days compares, if it
    did.
    """
    now, before = "cost", "previous_cost"
    if "same_days_cost" in ranking:
        now, before = "same_days_cost", "same_days_previous_cost"
    compared = sums(ranking, now, before)
    return priced_sums(ranking, "cost", "previous_cost", "change", "share") | {
        "change_percent": change_percent(compared[now], compared[before]),
        "history": _added_up(ranking["history"]),
    }


def _added_up(lines: Iterable[list[float]]) -> list[float]:
    """Lines that end in the same month, added up month by month."""
    backwards = zip_longest(*(reversed(line) for line in lines), fillvalue=0.0)
    return [sum(amounts) for amounts in backwards][::-1]


def for_file(ranking: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """A ranking's columns that mean something for its units: only a principal has one account."""
    if dimension == "principal":
        return ranking
    return ranking.drop(columns=["account", "principal_type", "units"], errors="ignore")


def _sparkline(history: str, places: Mapping[str, int]) -> list[float]:
    """'2026-09 1.5,2026-10 2': the costs from the first of its months that has a place."""
    line, first = [0.0] * len(places), len(places)
    for each in history.split(","):
        month, _, cost = each.partition(" ")
        place = places[month]
        line[place] = float(cost)
        first = min(first, place)
    return line[first:]
