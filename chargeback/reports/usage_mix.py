"""What was used, at what price, and what of it could not be read for certain."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypedDict

import pandas as pd

from chargeback.money import per_million
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.view import View


class UsedMeter(TypedDict):
    """A provider, model, token type and tier in use; amounts in the view's currency."""

    billing_period: str
    provider: str
    model: str
    token_type: str
    service_tier: str
    cost: Decimal
    tokens: Decimal
    token_cost: Decimal
    cost_per_million: Decimal | None
    """Tokens; None without."""


class UncertainMeter(TypedDict):
    """What could not be read for certain; its cost counts all the same."""

    product_code: str
    usage_type: str
    model: str
    token_type: str
    recognised: bool
    note: str
    is_new_product: bool
    cost: Decimal


def usage_mix(answers: Answers, view: View) -> pd.DataFrame:
    """One UsedMeter per provider, model, token type and tier, largest first."""
    rows = answers.ask("usage_mix", view.grain, view).to_pylist()
    for row in rows:
        row["cost_per_million"] = per_million(row["token_cost"], row["tokens"])
    return frame_of(UsedMeter, rows)


def unrecognised(answers: Answers, view: View) -> pd.DataFrame:
    """One UncertainMeter per product code, usage type and note, largest first."""
    return frame_of(UncertainMeter, answers.ask("unrecognised", view.grain, view).to_pylist())


def doubts(not_certain: pd.DataFrame) -> list[str]:
    """For each UncertainMeter, what it means for the figures."""
    return [" ".join(_doubts(row)) for row in not_certain.to_dict("records")]


def _doubts(row: dict[Any, Any]) -> Iterator[str]:
    if not row["recognised"]:
        yield "Not known what this measures: its cost is counted, its tokens are not."
    if row["note"]:
        yield row["note"]
    if row["is_new_product"]:
        yield "The product code is new."
