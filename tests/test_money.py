"""Amounts in cents that add up."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import CENT, exact_sum, in_cents

AMOUNTS = st.lists(st.decimals(-(10**15), 10**15, places=12), min_size=1, max_size=12)


@given(AMOUNTS, st.sampled_from([ROUND_FLOOR, ROUND_CEILING]))
def test_cents_add_up_and_each_is_within_one_of_its_amount(
    amounts: list[Decimal], way: str
) -> None:
    whole = exact_sum(amounts).quantize(CENT, way)
    found = in_cents(amounts, whole)
    assert sum(found) == whole
    for amount, cents in zip(amounts, found, strict=True):
        assert abs(cents - amount) < CENT
        assert cents == cents.quantize(CENT)


@given(AMOUNTS, st.integers(-30, 30))
def test_a_whole_that_lies_further_off_is_reached_all_the_same(
    amounts: list[Decimal], cents: int
) -> None:
    whole = exact_sum(amounts).quantize(CENT) + cents * CENT
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
