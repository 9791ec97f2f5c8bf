"""Amounts of money, exact to the last digit, and the ratios made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import reduce

CENT = Decimal("0.01")
ZERO = Decimal()
MILLION = Decimal(1_000_000)
LAST_DIGIT = Decimal("1E-12")
"""Of an amount on the bill, which is DECIMAL(38, 12); a part of one has no more."""
EXACT = Context(prec=60)
"""Holds any sum of DECIMAL(38, 12); Python's default of 28 digits would round one."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, to the last digit however long it is."""
    return reduce(EXACT.add, amounts, ZERO)


def cents(amount: Decimal) -> Decimal:
    """An amount in cents, half up, as invoices round."""
    return amount.quantize(CENT, ROUND_HALF_UP, EXACT) + 0


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole`, between 0 and 1 as a rule; None when the whole is zero."""
    return part / whole if whole else None


def per_million(cost: Decimal, tokens: Decimal) -> Decimal | None:
    """Cost of a million tokens, or None without tokens."""
    return cost / tokens * MILLION if tokens else None


def in_cents(amounts: Sequence[Decimal], whole: Decimal) -> list[Decimal]:
    """Amounts in cents that add up to `whole`, which is in cents too.

    Where `whole` is the sum of the amounts rounded up or down, each is less than a cent from its
    own, and equal to it where that is in cents already. What has furthest to go is rounded up.
    """
    rounded = [amount.quantize(CENT, ROUND_FLOOR, EXACT) for amount in amounts]
    rests = [EXACT.subtract(amount, floor) for amount, floor in zip(amounts, rounded, strict=True)]
    open_ones = [at for at, rest in enumerate(rests) if rest] or list(range(len(amounts)))
    missing = EXACT.subtract(whole, exact_sum(rounded))
    if not missing:
        return rounded
    each, more = divmod(int(missing / CENT), len(open_ones))
    for place, at in enumerate(sorted(open_ones, key=lambda at: (-rests[at], at))):
        rounded[at] += CENT * (each + (place < more))
    return rounded
