"""How much of the cost is attributed, and by what."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, TypedDict

import pandas as pd
import pyarrow as pa

from chargeback.billing_period import months_until
from chargeback.dimensions import WITH_SOURCE
from chargeback.money import ZERO, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.summary import HISTORY_MONTHS
from chargeback.reports.view import View


class SourceCost(TypedDict):
    """What one source decided of one dimension, in the view's currency."""

    dimension: str
    source: str
    """'' is unallocated."""
    cost: Decimal
    share: Decimal | None
    """Of the dimension's cost; None when that is zero."""


class Coverage(TypedDict):
    """How much of a dimension is attributed, in the view's currency."""

    dimension: str
    attributed: Decimal
    not_attributed: Decimal
    share: Decimal | None
    """Of cost; None when that is zero."""
    sources: list[tuple[str, Decimal | None]]
    """Pairs of source and share of cost, largest first."""


class MonthCoverage(TypedDict):
    """How much of a month is attributed, in the view's currency."""

    dimension: str
    billing_period: str
    cost: Decimal
    attributed: Decimal
    share: Decimal | None
    """Of the month's cost; None when that is zero."""


DIMENSIONS = tuple(each.name for each in WITH_SOURCE)
"""Of which the rows say what decided them."""


def deciding_sources(
    answers: Answers, view: View, dimensions: Collection[str] = DIMENSIONS
) -> pd.DataFrame:
    """SourceCosts of each dimension."""
    found = answers.ask_by_each("deciding_sources", view.grain, view, sorted(dimensions))
    rows = [row for name, answer in found.items() for row in _with_shares(name, answer)]
    return frame_of(SourceCost, rows)


def _with_shares(dimension: str, answer: pa.Table) -> Iterator[dict[str, Any]]:
    rows = answer.to_pylist()
    whole = sum((row["cost"] for row in rows), ZERO)
    for row in rows:
        yield {**row, "dimension": dimension, "share": share_of(row["cost"], whole)}


def coverage(decided: pd.DataFrame, dimensions: Collection[str] = DIMENSIONS) -> pd.DataFrame:
    """One Coverage per dimension; `decided` are their SourceCosts."""
    rows = decided.to_dict("records")
    return frame_of(Coverage, [_coverage(rows, each) for each in dimensions])


def coverage_by_month(
    answers: Answers, view: View, dimensions: Collection[str] = DIMENSIONS
) -> pd.DataFrame:
    """MonthCoverages of up to thirteen months, oldest first, by dimension."""
    months = view.since(months_until(view.month, HISTORY_MONTHS)[0])
    found = answers.ask_by_each("attributed", view.grain, months, dimensions)
    rows = [
        {**row, "dimension": name, "share": share_of(row["attributed"], row["cost"])}
        for name, answer in found.items()
        for row in answer.to_pylist()
    ]
    return frame_of(MonthCoverage, rows)


def tags_seen(answers: Answers, view: View) -> pa.Table:
    """Which sets of tags lines carry: queries/reports/tags_seen.sql."""
    return answers.ask("tags_seen", "daily", view)


def _coverage(decided: list[dict[Any, Any]], dimension: str) -> dict[str, Any]:
    rows = [row for row in decided if row["dimension"] == dimension]
    sources = [(row["source"], row["cost"]) for row in rows if row["source"]]
    attributed = sum((cost for _, cost in sources), ZERO)
    cost = sum((row["cost"] for row in rows), ZERO)
    return {
        "dimension": dimension,
        "attributed": attributed,
        "not_attributed": cost - attributed,
        "share": share_of(attributed, cost),
        "sources": [(source, share_of(part, cost)) for source, part in sources],
    }
