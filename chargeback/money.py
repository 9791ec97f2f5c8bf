"""Amounts of money, exact to the last digit, and the ratios made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce

CENT = Decimal("0.01")
ZERO = Decimal()
MILLION = Decimal(1_000_000)
EXACT = Context(prec=60)
"""Holds any sum of DECIMAL(38, 12); Python's default of 28 digits would round one."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, to the last digit however long it is."""
    return reduce(EXACT.add, amounts, ZERO)


def cents(amount: Decimal) -> Decimal:
    """An amount in cents, half up, as invoices round."""
    return amount.quantize(CENT, ROUND_HALF_UP, EXACT) + 0


def in_cents(amounts: Sequence[Decimal], total: Decimal) -> list[Decimal]:
    """Amounts in cents that add up to `total`; the largest takes what rounding leaves.

    For a few amounts on a screen; a statement rounds with statement/rounding.py.

    Args:
        amounts: exact; none are needed where `total` is zero.
        total: in cents.
    """
    rounded = [cents(amount) for amount in amounts]
    if left := EXACT.subtract(total, exact_sum(rounded)):
        largest = max(range(len(amounts)), key=lambda i: abs(amounts[i]))
        rounded[largest] = EXACT.add(rounded[largest], left)
    return rounded


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole`, between 0 and 1 as a rule; None when the whole is zero."""
    return part / whole if whole else None


def per_million(cost: Decimal, tokens: Decimal) -> Decimal | None:
    """Cost of a million tokens, or None without tokens."""
    return cost / tokens * MILLION if tokens else None
