"""Totals are made of the parts, to the last digit; prices and changes of the sums, never summed."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import EXACT, exact_sum
from chargeback.reports.frames import priced_sums, sums
from chargeback.reports.ranking import ranking_total, with_same_days

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=12, allow_nan=False)
units = st.lists(st.tuples(amounts, amounts, amounts, st.integers(0, 10**15)), min_size=1)


def ranking(rows: list[tuple[Decimal, Decimal, Decimal, int]]) -> pd.DataFrame:
    """A ranking of these costs, previous costs, token costs and tokens."""
    costs, before, token_costs, tokens = ([*column] for column in zip(*rows, strict=True))
    whole = exact_sum(costs)
    columns = {
        "unit": [str(number) for number in range(len(rows))],
        "cost": costs,
        "previous_cost": before,
        "change": [EXACT.subtract(now, then) for now, then in zip(costs, before, strict=True)],
        "share": [cost / whole if whole else None for cost in costs],
        "tokens": [Decimal(number) for number in tokens],
        "token_cost": token_costs,
        "history": [[1.0] * (number % 3 + 1) for number in range(len(rows))],
    }
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


@given(units)
def test_a_total_is_its_parts_to_the_last_digit(
    rows: list[tuple[Decimal, Decimal, Decimal, int]],
) -> None:
    total = ranking_total(ranking(rows))
    for place, name in enumerate(("cost", "previous_cost", "token_cost", "tokens")):
        assert total[name] == exact_sum(Decimal(row[place]) for row in rows)
    assert total["change"] == EXACT.subtract(total["cost"], total["previous_cost"])
    tokens = total["tokens"]
    price = total["token_cost"] / tokens * 1_000_000 if tokens else None
    assert total["cost_per_million"] == price


def test_a_change_is_of_the_sums_and_of_the_same_days_where_a_month_is_open() -> None:
    whole = ranking(
        [(Decimal(30), Decimal(20), Decimal(), 0), (Decimal(3), Decimal(2), Decimal(), 0)]
    )
    assert ranking_total(whole)["change_percent"] == Decimal("0.5")  # 33 after 22
    same = ranking(
        [(Decimal(10), Decimal(8), Decimal(), 0), (Decimal(2), Decimal(2), Decimal(), 0)]
    )
    assert ranking_total(with_same_days(whole, same))["change_percent"] == Decimal("0.2")


def test_histories_are_added_up_from_their_end() -> None:
    frame = ranking([(Decimal(1), Decimal(1), Decimal(), 0)] * 3)
    assert ranking_total(frame)["history"] == [1.0, 2.0, 3.0]  # of 1, 2 and 3 months


@pytest.mark.parametrize("absent", [None, float("nan")])
def test_a_row_without_an_amount_adds_nothing(absent: float | None) -> None:
    frame = pd.DataFrame({"cost": pd.Series([Decimal("0.1"), absent], dtype=object)})
    assert sums(frame, "cost") == {"cost": Decimal("0.1")}


def test_without_tokens_there_is_no_price() -> None:
    frame = pd.DataFrame({"cost": [Decimal(1)], "tokens": [Decimal()], "token_cost": [Decimal()]})
    assert priced_sums(frame, "cost")["cost_per_million"] is None
