"""The mean of four same weekdays, shared so that it comes to the same however it is cut."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import CENT, cents, exact_sum
from chargeback.reports.usage_days import UsageDay
from chargeback.statement.accrual_allocation import allocated
from chargeback.statement.accrual_days import last_days
from chargeback.statement.accrual_estimate import (
    estimates,
    rounded,
    usage_by_day,
    used_on,
    without,
)

STORED = ["2026-09", "2026-10"]
LAST = last_days("2026-10", 1, STORED)
SATURDAYS = [date(2026, 10, day) for day in (24, 17, 10, 3)]
THE_31ST = date(2026, 10, 31)


def days(*costs: str) -> dict[date, Decimal]:
    """Costs of the four Saturdays before the last, and of the last one."""
    return dict(zip((*SATURDAYS, THE_31ST), map(Decimal, costs), strict=False))


def test_a_missing_day_is_the_mean_of_four_same_weekdays() -> None:
    usage = {"a": days("10", "20", "30", "40"), "new": days("8"), "other days": {}}
    assert estimates(usage, LAST) == {"a": 25, "new": 2, "other days": 0}


def test_fewer_stored_weekdays_make_a_mean_of_fewer() -> None:
    gap = {THE_31ST: SATURDAYS[:3]}
    assert estimates({"a": days("10", "10", "11", "99")}, gap) == {"a": Fraction(31, 3)}
    assert estimates({"a": days("10")}, {THE_31ST: []}) == {"a": 0}


def test_what_is_billed_of_a_missing_day_is_not_estimated_again() -> None:
    usage = {"a": days("10", "20", "30", "40", "5")}
    assert estimates(usage, LAST) == {"a": 20}


def test_nothing_is_taken_from_a_unit_that_has_used_more_than_its_mean() -> None:
    # All of the day is 60 by the means; 30 is billed, to `a` alone: 30 are open.
    usage = {"a": days("10", "10", "10", "10", "30"), "b": days("50", "50", "50", "50")}
    assert estimates(usage, LAST) == {"a": 0, "b": 30}
    usage["a"][THE_31ST] = Decimal(70)  # more than the day was likely to come to
    assert estimates(usage, LAST) == {"a": 0, "b": 0}


def test_what_past_days_came_to_is_known_without_having_been_seen() -> None:
    usage = {"a": days("10", "10", "10", "10", "30")}
    assert used_on(usage, LAST) == {"a": 30}
    assert estimates(without(usage, LAST), LAST) == {"a": 10}


def test_an_estimate_follows_what_its_unit_held() -> None:
    holders = {"shared": {"a": Fraction(60), "b": Fraction(20), "shared": Fraction(20)}}
    amounts = {"shared": Fraction(10), "a": Fraction(1)}
    assert allocated(amounts, holders) == {"a": 7, "b": 2, "shared": 2}


def test_what_nobody_holds_stays() -> None:
    holders = {"shared": {"a": Fraction(-5), "shared": Fraction()}}
    assert allocated({"shared": Fraction(10)}, holders) == {"shared": 10}


amounts = st.decimals(-1000, 1000, places=12)
rows = st.lists(
    st.builds(
        lambda unit, seller, back, cost: cast(
            UsageDay,
            {
                "currency": "USD",
                "unit": unit,
                "billing_entity": seller,
                "usage_date": THE_31ST - timedelta(days=back),
                "cost": cost,
            },
        ),
        st.sampled_from("abcdefgh"),
        st.sampled_from(("AWS", "AWS Marketplace")),
        st.integers(0, 34),
        amounts,
    ),
    min_size=1,
)


@given(rows=rows, missing=st.integers(1, 10), stored=st.sampled_from([STORED, ["2026-10"]]))
def test_an_estimate_comes_to_the_same_however_it_is_cut(
    rows: list[UsageDay], missing: int, stored: list[str]
) -> None:
    gap = last_days("2026-10", missing, stored)
    by_unit, by_seller = (
        estimates(usage_by_day(rows, key)["USD"], gap) for key in ("unit", "billing_entity")
    )
    assert sum(by_unit.values()) == sum(by_seller.values())
    assert all(amount >= 0 for amount in by_unit.values())
    assert exact_sum(rounded(by_unit).values()) == exact_sum(rounded(by_seller).values())


@given(st.dictionaries(st.text(max_size=3), st.fractions(-1000, 1000), max_size=9))
def test_cents_add_up_and_are_less_than_a_cent_off(exact: dict[str, Fraction]) -> None:
    found = rounded(exact)
    whole = sum(exact.values(), Fraction())
    assert abs(Fraction(exact_sum(found.values())) - whole) <= Fraction(CENT) / 2
    for unit, amount in found.items():
        assert amount == cents(amount)
        assert abs(Fraction(amount) - exact[unit]) < Fraction(CENT)


parts = st.dictionaries(st.sampled_from("abcd"), st.fractions(-50, 50), max_size=4)


@given(parts, st.dictionaries(st.sampled_from("abcd"), parts, max_size=4))
def test_whatever_rules_move_nothing_is_lost(
    exact: dict[str, Fraction], holders: dict[str, dict[str, Fraction]]
) -> None:
    assert sum(allocated(exact, holders).values()) == sum(exact.values())
