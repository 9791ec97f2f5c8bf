"""Why spend changed: the parts add up to the change, and the largest is named."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.reports.movers import Change, MeterChange, explain

costs = st.decimals(-(10**9), 10**9, places=12)
tokens = st.integers(0, 10**13).map(Decimal)
meters = st.lists(
    st.builds(
        MeterChange,
        st.sampled_from(["usage", "tax", "credit", "discount"]),
        st.sampled_from(["Claude Sonnet 5.5", "Nova Pro", ""]),
        st.sampled_from(["input", "output"]),
        st.sampled_from(["on-demand", "batch"]),
        costs,
        costs,
        tokens,
        tokens,
    ),
    max_size=6,
)


@given(meters)
def test_the_parts_add_up_to_the_change_exactly(found: list[MeterChange]) -> None:
    change = explain(found)
    with localcontext(prec=60):  # so that the test's own sums are exact too
        assert change.total == sum((m.cost - m.previous_cost for m in found), Decimal())
        assert sum(change.parts.values(), Decimal()) == change.total


def meter(
    cost: str,
    before: str,
    tokens: int = 0,
    previous_tokens: int = 0,
    model: str = "A",
    kind: str = "usage",
) -> MeterChange:
    return MeterChange(
        kind,
        model,
        "input",
        "on-demand",
        Decimal(cost),
        Decimal(before),
        Decimal(tokens),
        Decimal(previous_tokens),
    )


@pytest.mark.parametrize(
    ("found", "reason", "part", "amount"),
    [
        # Twice the tokens at the same price.
        ([meter("20", "10", 2000, 1000)], "more tokens", "volume", "10"),
        # The same tokens at half the price.
        ([meter("5", "10", 1000, 1000)], "lower prices", "price", "-5"),
        # As many tokens, but of the dearer of two models: 10 per thousand against 1.
        (
            [meter("10", "0", 1000, 0, "Dear"), meter("0", "1", 0, 1000, "Cheap")],
            "dearer mix, more Dear",
            "mix",
            "9",
        ),
        ([meter("7", "3")], "more of other meters", "other_meters", "4"),
        (
            [meter("1", "1"), meter("-8", "0", kind="credit")],
            "tax, fees, credits, discounts",
            "not_usage",
            "-8",
        ),
        ([meter("4", "0", 10, 0)], "new this month", "volume", "4"),
        ([meter("0", "4", 0, 10)], "no spend this month", "volume", "-4"),
        ([meter("4", "4", 10, 10)], "no change", "volume", "0"),
        ([], "new this month", "volume", "0"),
    ],
)
def test_the_largest_part_is_put_into_words(
    found: list[MeterChange], reason: str, part: str, amount: str
) -> None:
    change: Change = explain(found)
    assert (change.reason, change.parts[part]) == (reason, Decimal(amount))
