"""Frames: the rows of an answer with the columns that its row type names, in that order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from chargeback.money import exact_sum, per_million


def frame_of(row_type: type, rows: Iterable[Mapping[Any, Any]]) -> pd.DataFrame:
    """A frame of rows of a type.

    Args:
        row_type: a TypedDict; its fields are the columns.
        rows: with those fields, and perhaps others that are left out.
    """
    return pd.DataFrame(list(rows), columns=list(row_type.__annotations__))


def total(frame: pd.DataFrame, column: str = "cost") -> Decimal:
    """The sum of a column of money or tokens."""
    return exact_sum(map(Decimal, frame[column]))


def sums(frame: pd.DataFrame, *columns: str) -> dict[str, Any]:
    """What columns of amounts come to, exact; of a row without an amount nothing."""
    return {name: exact_sum(Decimal(amount) for amount in frame[name].dropna()) for name in columns}


def priced_sums(frame: pd.DataFrame, *columns: str) -> dict[str, Any]:
    """`sums` of these, tokens and token_cost, and the cost of a million of those tokens."""
    added = sums(frame, *columns, "tokens", "token_cost")
    return added | {"cost_per_million": per_million(added["token_cost"], added["tokens"])}
