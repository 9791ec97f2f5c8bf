"""What prompt caches saved: cached tokens at the price of input, less what they did cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, TypedDict

import pandas as pd

from chargeback.money import EXACT, LAST_DIGIT, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.view import View

Row = Mapping[str, Any]
"""Of queries/reports/cache_use.sql."""


class CacheSaving(TypedDict):
    """A model whose prompt caches were used; amounts in the view's currency."""

    model: str
    cached_tokens: Decimal
    """Read from a cache or written to one."""
    cached_cost: Decimal
    """What these cost."""
    cache_saving: Decimal | None
    """What these would have cost more as input, less where negative: at the price that the month
    has for input of the model, the tier and the region. None where it has none."""
    not_counted: Decimal
    """Of `cached_cost`, what has no such price: no part of the saving."""


def cache_savings(answers: Answers, view: View) -> pd.DataFrame:
    """One CacheSaving per model, by name."""
    return frame_of(CacheSaving, by_model(answers.ask("cache_use", "daily", view).to_pylist()))


def by_model(rows: Iterable[Row]) -> Iterator[CacheSaving]:
    """Rows that are ordered by model, those of each together."""
    for model, same in groupby(rows, key=lambda row: row["model"]):
        yield _of_model(str(model), list(same))


def total_saving(savings: pd.DataFrame) -> Decimal | None:
    """What all models saved together; None where no saving is known."""
    known = [saving for saving in savings["cache_saving"] if saving is not None]
    return exact_sum(known) if known else None


def with_cache_savings(ranking: pd.DataFrame, savings: pd.DataFrame) -> pd.DataFrame:
    """A ranking of models with the column `cache_saving`: None where a model has none."""
    known = dict(zip(savings["model"], savings["cache_saving"], strict=True))
    found = [known.get(model) for model in ranking["unit"]]
    return ranking.assign(cache_saving=pd.Series(found, index=ranking.index, dtype=object))


def _of_model(model: str, rows: Sequence[Row]) -> CacheSaving:
    savings = [(row, saving_of(row)) for row in rows]
    known = [saving for _, saving in savings if saving is not None]
    unpriced = (row["cached_cost"] for row, saving in savings if saving is None)
    unsized = exact_sum(row["unsized_cost"] for row in rows)
    return {
        "model": model,
        "cached_tokens": exact_sum(row["cached_tokens"] for row in rows),
        "cached_cost": exact_sum([*(row["cached_cost"] for row in rows), unsized]),
        "cache_saving": exact_sum(known) if known else None,
        "not_counted": exact_sum([*unpriced, unsized]),
    }


def saving_of(row: Row) -> Decimal | None:
    """What one price's cached tokens would have cost more as input; None where that isn't known."""
    if row["input_tokens"] <= 0 or not row["cached_tokens"]:
        return None
    as_input = EXACT.divide(
        EXACT.multiply(row["cached_tokens"], row["input_cost"]), row["input_tokens"]
    )
    return EXACT.subtract(EXACT.quantize(as_input, LAST_DIGIT), row["cached_cost"])
