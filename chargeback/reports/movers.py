"""Why a unit's spend changed: volume, model mix, price, other meters, and what is not usage.

The parts add up to the change exactly; the largest is put into words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from chargeback.money import ZERO

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
