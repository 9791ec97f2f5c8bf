"""What moved most, and why: volume, model mix, price, other meters, and what is not usage.

The parts add up to the change exactly; the largest is put into words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TypedDict

import pandas as pd

from chargeback.billing_period import previous_month
from chargeback.money import ZERO
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.ranking import LARGEST
from chargeback.reports.view import View

LAST_DIGIT = Decimal("1E-12")
"""Of an amount on the bill; a part of a change has no more, so that the parts add up."""
EXACT = 60
"""Digits that hold any sum and product here without rounding."""


@dataclass(frozen=True, slots=True)
class MeterChange:
    """One meter of a unit in two months; costs in currency, tokens single tokens."""

    charge_category: str
    model: str
    token_type: str
    service_tier: str
    cost: Decimal
    previous_cost: Decimal
    tokens: Decimal
    previous_tokens: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """A change in spend and its parts, all in currency; the parts add up to `total`."""

    total: Decimal
    volume: Decimal
    mix: Decimal
    price: Decimal
    other_meters: Decimal
    not_usage: Decimal
    reason: str

    @property
    def parts(self) -> dict[str, Decimal]:
        """The parts by name."""
        return {
            "volume": self.volume,
            "mix": self.mix,
            "price": self.price,
            "other_meters": self.other_meters,
            "not_usage": self.not_usage,
        }


class Mover(TypedDict):
    """A unit whose spend changed, and why; amounts in the view's currency."""

    unit: str
    name: str
    change: Decimal
    """The sum of the last five."""
    reason: str
    """In words."""
    reason_amount: Decimal | None
    """The part of the change that the words stand for; None where it is all of it."""
    volume: Decimal
    mix: Decimal
    price: Decimal
    other_meters: Decimal
    not_usage: Decimal


def movers(
    answers: Answers, view: View, dimension: str, ranking: pd.DataFrame, count: int = LARGEST
) -> pd.DataFrame:
    """The Movers of a ranking whose spend changed most since the month before."""
    changed = [row for row in ranking.to_dict("records") if row["change"]]
    changed.sort(key=lambda row: (-abs(row["change"]), row["unit"]))
    names = {row["unit"]: row["name"] for row in changed[:count]}
    changes = movement(answers, view, dimension, list(names))
    found = [
        {
            "unit": unit,
            "name": name,
            "change": changes[unit].total,
            "reason": changes[unit].reason,
            "reason_amount": _largest_part(changes[unit]),
            **changes[unit].parts,
        }
        for unit, name in names.items()
    ]
    return frame_of(Mover, found)


def movement(
    answers: Answers, view: View, dimension: str, units: Sequence[str]
) -> dict[str, Change]:
    """Why each of `units` changed since the month before."""
    previous = previous_month(view.month)
    rows = answers.ask(
        "movement",
        view.grain,
        view.since(previous),
        dimension=dimension,
        previous_month=previous,
        named=list(units),
    ).to_pylist()
    meters: dict[str, list[MeterChange]] = {}
    for row in rows:
        meters.setdefault(row.pop("unit"), []).append(MeterChange(**row))
    return {unit: explain(changes) for unit, changes in meters.items()}


def _largest_part(change: Change) -> Decimal | None:
    part = max(change.parts.values(), key=abs)
    return None if part == change.total else part


def explain(meters: Iterable[MeterChange]) -> Change:
    """Splits the change between two months into its parts.

    volume: more or fewer tokens at last month's average price. price: this month's tokens at the
    difference in price, for meters used in both months. mix: what remains of the token cost, which
    is the move between models, token types and tiers.
    """
    meters = list(meters)
    with localcontext(prec=EXACT):
        return _explained(meters)


def _explained(meters: list[MeterChange]) -> Change:
    token_meters = [m for m in meters if m.tokens or m.previous_tokens]
    rest = [m for m in meters if not (m.tokens or m.previous_tokens)]
    volume, price, mix = _token_parts(token_meters)
    other_meters = _total(m for m in rest if m.charge_category == "usage")
    not_usage = _total(m for m in rest if m.charge_category != "usage")
    parts = {
        "volume": volume,
        "mix": mix,
        "price": price,
        "other_meters": other_meters,
        "not_usage": not_usage,
    }
    return Change(total=_total(meters), reason=_in_words(meters, parts), **parts)


def _token_parts(meters: list[MeterChange]) -> tuple[Decimal, Decimal, Decimal]:
    total = _total(meters)
    tokens = sum((m.tokens for m in meters), ZERO)
    before = sum((m.previous_tokens for m in meters), ZERO)
    cost_before = sum((m.previous_cost for m in meters), ZERO)
    if not tokens or not before:
        return total, ZERO, ZERO
    volume = ((tokens - before) * cost_before / before).quantize(LAST_DIGIT)
    price = sum(
        (m.cost - m.previous_cost * m.tokens / m.previous_tokens for m in meters if _both(m)), ZERO
    ).quantize(LAST_DIGIT)
    return volume, price, total - volume - price


def _both(meter: MeterChange) -> bool:
    return bool(meter.tokens and meter.previous_tokens)


def _total(meters: Iterable[MeterChange]) -> Decimal:
    return sum((m.cost - m.previous_cost for m in meters), ZERO)


def _in_words(meters: list[MeterChange], parts: dict[str, Decimal]) -> str:
    if not any(m.previous_cost for m in meters):
        return "new this month"
    if not any(m.cost for m in meters):
        return "no spend this month"
    name, amount = max(parts.items(), key=lambda part: abs(part[1]))
    if not amount:
        return "no change"
    up = amount > 0
    words = {
        "volume": "more tokens" if up else "fewer tokens",
        "mix": _mix_in_words(meters, up),
        "price": "higher prices" if up else "lower prices",
        "other_meters": "more of other meters" if up else "less of other meters",
        "not_usage": "tax, fees, credits, discounts",
    }
    return words[name]


def _mix_in_words(meters: list[MeterChange], up: bool) -> str:
    gained: dict[str, Decimal] = defaultdict(Decimal)
    for meter in meters:
        gained[meter.model] += meter.tokens - meter.previous_tokens
    model = max(gained, key=lambda name: (gained[name], name))
    known = model and gained[model] > 0
    return f"{'dearer' if up else 'cheaper'} mix" + (f", more {model}" if known else "")
