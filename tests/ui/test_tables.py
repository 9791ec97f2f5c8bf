"""A table of any length: its largest rows, and what the others come to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from chargeback.dimensions import UNALLOCATED
from chargeback.ui.tables import LONGEST, cut

costs = st.lists(
    st.decimals(min_value=-(10**9), max_value=10**9, places=12, allow_nan=False), max_size=30
)


def ranking(amounts: list[Any], column: str = "unit") -> pd.DataFrame:
    """Units in any order, `(unallocated)` last."""
    names = [*(f"tenant-{n}" for n in range(len(amounts) - 1)), UNALLOCATED][-len(amounts) :]
    return pd.DataFrame({column: names[: len(amounts)], "cost": pd.Series(amounts, dtype=object)})


@given(costs, st.integers(1, 40), st.sampled_from(["unit", "bill_to"]))
def test_what_is_shown_and_what_is_not_add_up_to_all(
    amounts: list[Decimal], longest: int, column: str
) -> None:
    frame = ranking(amounts, column)
    of = cut(frame, "cost", longest)
    assert len(of.shown) == min(longest, len(frame))
    assert of.left_out == len(frame) - len(of.shown)
    assert of.cost is not None
    assert sum(of.shown["cost"], of.cost) == sum(amounts)


@given(costs, st.integers(1, 40))
def test_rows_keep_their_order_and_know_their_place(amounts: list[Decimal], longest: int) -> None:
    frame = ranking(amounts)
    of = cut(frame, "cost", longest)
    assert of.positions == sorted(of.positions)
    assert list(of.shown["unit"]) == [frame["unit"][position] for position in of.positions]


@given(costs.filter(bool), st.integers(2, 40))
def test_unallocated_stays_and_is_last(amounts: list[Decimal], longest: int) -> None:
    assert cut(ranking(amounts), "cost", longest).shown["unit"].iloc[-1] == UNALLOCATED


def test_a_large_credit_is_a_large_row() -> None:
    frame = pd.DataFrame({"cost": [Decimal(3), Decimal(2), Decimal(1), Decimal(-50)]})
    of = cut(frame, "cost", 2)
    assert list(of.shown["cost"]) == [Decimal(3), Decimal(-50)]
    assert of.cost == Decimal(3)


def test_a_row_without_an_amount_is_the_smallest() -> None:
    of = cut(pd.DataFrame({"cost": [None, Decimal("-0.01"), Decimal(1)]}), "cost", 2)
    assert (of.positions, of.cost) == ([1, 2], Decimal())


def test_without_money_the_first_rows_stay() -> None:
    of = cut(pd.DataFrame({"name": list("abc")}), None, 2)
    assert (list(of.shown["name"]), of.left_out, of.cost) == (["a", "b"], 1, None)


def long_table(rows: int, with_money: bool) -> None:
    from decimal import Decimal  # noqa: PLC0415 -- runs as a script of its own

    import pandas as pd  # noqa: PLC0415
    import streamlit as st  # noqa: PLC0415

    from chargeback.ui.tables import Column, plain_table  # noqa: PLC0415

    amounts = [Decimal(n) / 10 for n in range(rows)]
    frame = pd.DataFrame({"name": [str(n) for n in range(rows)], "cost": amounts})
    cost = {"cost": Column("Cost", "money")} if with_money else {}
    columns = {"name": Column("Name"), **cost}
    chosen = plain_table(frame, columns=columns, currency="USD", key="long", select=True)
    st.text(str(chosen))


@pytest.mark.parametrize(
    ("rows", "with_money", "said"),
    [
        (LONGEST, True, []),
        (LONGEST + 1, True, ["1 more row, the smallest\\: \\$0.00. The CSV has every row."]),
        (LONGEST + 3, True, ["3 more rows, the smallest\\: \\$0.30. The CSV has every row."]),
        (LONGEST + 2, False, ["2 more rows. The CSV has every row."]),
    ],
)
def test_a_table_says_what_it_leaves_out(rows: int, with_money: bool, said: list[str]) -> None:
    app = AppTest.from_function(long_table, args=(rows, with_money)).run()
    assert not app.exception
    assert len(app.dataframe[0].value) == LONGEST
    assert [caption.value for caption in app.caption] == said
