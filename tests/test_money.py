"""Amounts in cents that add up."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import CENT, cents, exact_sum, in_cents

AMOUNTS = st.lists(st.decimals(-(10**15), 10**15, places=12), min_size=1, max_size=12)


@given(AMOUNTS, st.sampled_from([ROUND_FLOOR, ROUND_CEILING]))
def test_cents_add_up_and_each_is_within_one_of_its_amount(
    amounts: list[Decimal], way: str
) -> None:
    whole = exact_sum(amounts).quantize(CENT, way)
    found = in_cents(amounts, whole)
    assert sum(found) == whole
    for amount, one in zip(amounts, found, strict=True):
        assert abs(one - amount) < CENT
        assert one == one.quantize(CENT)


@given(AMOUNTS, st.integers(-30, 30))
def test_a_whole_that_lies_further_off_is_reached_all_the_same(
    amounts: list[Decimal], off: int
) -> None:
    whole = exact_sum(amounts).quantize(CENT) + off * CENT
    assert sum(in_cents(amounts, whole)) == whole


@pytest.mark.parametrize(
    ("amounts", "whole", "expected"),
    [
        (["0.006", "0.004"], "0.01", ["0.01", "0.00"]),
        (["1.005", "2.00", "1.005"], "4.01", ["1.01", "2.00", "1.00"]),
        (["1.00", "2.00"], "3.00", ["1.00", "2.00"]),
        (["-0.004", "0.001"], "0.00", ["0.00", "0.00"]),
        ([], "0.00", []),
    ],
)
def test_what_has_furthest_to_go_is_rounded_up(
    amounts: list[str], whole: str, expected: list[str]
) -> None:
    found = in_cents([Decimal(amount) for amount in amounts], Decimal(whole))
    assert found == [Decimal(amount) for amount in expected]


def test_zero_stays_zero_beside_what_takes_the_cent() -> None:
    # The tax of a month and of Cost Explorer: 100.004 - 7.002 is 93.002, in cents 100.00 - 7.00.
    steps = [Decimal("-7.002"), Decimal(0)]
    assert in_cents(steps, Decimal("93.01") - 100) == [Decimal("-6.99"), 0]


def test_half_a_cent_goes_up_and_no_zero_is_negative() -> None:
    assert (cents(Decimal("0.005")), cents(Decimal("-0.005"))) == (CENT, -CENT)
    assert str(cents(Decimal("-0.001"))) == "0.00"
