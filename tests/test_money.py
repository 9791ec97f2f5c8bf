"""Amounts on a screen add up to the total beside them, to the cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import CENT, cents, exact_sum, in_cents

AMOUNTS = st.lists(st.decimals("-1e9", "1e9", places=12), min_size=1, max_size=9)


@given(AMOUNTS)
def test_parts_in_cents_add_up_to_the_total_in_cents(amounts: list[Decimal]) -> None:
    total = cents(exact_sum(amounts))
    rounded = in_cents(amounts, total)
    assert exact_sum(rounded) == total
    # Each is rounded by half a cent at most; the largest takes what all of these leave.
    off = [abs(a - b) for a, b in zip(rounded, amounts, strict=True)]
    assert max(off) <= CENT * (len(amounts) + 2) / 2
    assert sum(each > CENT / 2 for each in off) <= 1


def test_zero_stays_zero_beside_what_takes_the_cent() -> None:
    # The tax of a month and of Cost Explorer: 100.004 - 7.002 is 93.002, in cents 100.00 - 7.00.
    steps = [Decimal("-7.002"), Decimal(0)]
    assert in_cents(steps, Decimal("93.01") - 100) == [Decimal("-6.99"), 0]


def test_half_a_cent_goes_up_and_no_zero_is_negative() -> None:
    assert (cents(Decimal("0.005")), cents(Decimal("-0.005"))) == (CENT, -CENT)
    assert str(cents(Decimal("-0.001"))) == "0.00"
