"""Amounts of money, exact to the last digit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import reduce

CENT = Decimal("0.01")
ZERO = Decimal()
_EXACT = Context(prec=60)
"""Holds any sum of DECIMAL(38, 12); Python's default of 28 digits would round one."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, to the last digit however long it is."""
    return reduce(_EXACT.add, amounts, ZERO)
