"""A table of any length: its largest rows, the others as one, and a total that is all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from chargeback.dimensions import UNALLOCATED
from chargeback.ui.table import Column, Kind, Rows, data_of
from chargeback.ui.tables import LONGEST, largest
from tests.pages.conftest import rows, tables

costs = st.lists(
    st.decimals(min_value=-(10**9), max_value=10**9, places=12, allow_nan=False), max_size=30
)


def ranking(amounts: list[Any], column: str = "unit") -> pd.DataFrame:
    """Units in any order, `(unallocated)` last."""
    names = [*(f"tenant-{n}" for n in range(len(amounts) - 1)), UNALLOCATED][-len(amounts) :]
    return pd.DataFrame({column: names[: len(amounts)], "cost": pd.Series(amounts, dtype=object)})


@given(costs, st.integers(1, 40))
def test_the_largest_rows_stay_in_their_order(amounts: list[Decimal], longest: int) -> None:
    kept = largest(pd.DataFrame({"cost": pd.Series(amounts, dtype=object)}), "cost", longest)
    assert kept == sorted(kept)
    assert len(kept) == min(longest, len(amounts))
    left_out = {*range(len(amounts))} - {*kept}
    assert all(abs(amounts[out]) <= abs(amounts[row]) for out in left_out for row in kept)


@given(costs.filter(bool), st.integers(2, 40), st.sampled_from(["unit", "bill_to"]))
def test_unallocated_stays_and_is_last(amounts: list[Decimal], longest: int, column: str) -> None:
    frame = ranking(amounts, column)
    assert frame[column].iloc[largest(frame, "cost", longest)[-1]] == UNALLOCATED


def test_a_large_credit_is_a_large_row() -> None:
    frame = pd.DataFrame({"cost": [Decimal(3), Decimal(2), Decimal(1), Decimal(-50)]})
    assert largest(frame, "cost", 2) == [0, 3]


def test_a_row_without_an_amount_is_the_smallest() -> None:
    frame = pd.DataFrame({"cost": [None, Decimal("-0.01"), Decimal(1)]})
    assert largest(frame, "cost", 2) == [1, 2]


def test_without_money_the_first_rows_stay() -> None:
    assert largest(pd.DataFrame({"name": list("abc")}), None, 2) == [0, 1]


def long_table(count: int, with_money: bool) -> None:
    from decimal import Decimal  # noqa: PLC0415 -- runs as a script of its own

    import pandas as pd  # noqa: PLC0415

    from chargeback.ui.table import Column  # noqa: PLC0415
    from chargeback.ui.tables import plain_table  # noqa: PLC0415

    amounts = [Decimal(n) / 10 for n in range(1, count)] + [Decimal("0.05")]
    names = [f"tenant-{n}" for n in range(1, count)] + ["(unallocated)"]
    frame = pd.DataFrame({"unit": names, "cost": amounts, "price": amounts})
    cost = {"cost": Column("Cost", "money"), "price": Column("Price", "price")}
    columns = {"unit": Column("Name"), **(cost if with_money else {})}
    total = {"cost": sum(amounts)} if with_money else None
    plain_table(frame, columns=columns, currency="USD", key="long", select=True, total=total)


@pytest.mark.parametrize("with_money", [True, False])
@pytest.mark.parametrize("more", [0, 1, 3])
def test_what_a_table_leaves_out_is_one_row_before_unallocated(more: int, with_money: bool) -> None:
    app = AppTest.from_function(long_table, args=(LONGEST + more, with_money)).run()
    assert not app.exception
    (table,) = tables(app)
    shown = rows(table)
    assert len(shown) == LONGEST + bool(more)
    assert shown[-1]["unit"] == UNALLOCATED
    assert table["last"] == 1 + bool(more)
    if more:
        assert str(shown[-2]["unit"]).startswith(f"{more} other")
        assert table["closed"] == [LONGEST - 1]
    if with_money:
        total = Decimal(table["columns"][1]["totalValue"])
        assert sum(row["cost"] for row in shown) == total
        assert shown[-2]["price"] is None or not more


def sent(column: Column, values: list[Any]) -> dict[str, Any]:
    """What the browser gets of a column."""
    cells = {"name": [str(n) for n in range(len(values))], "cell": values}
    made = data_of(
        Rows({"name": Column("Name"), "cell": column}, cells), "USD", "Cells", opens=False
    )
    of_cells: dict[str, Any] = made["columns"][1]
    return of_cells


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        ("money", [Decimal("-1804.005"), None], ["-$1,804.01", "–"]),
        (
            "money_change",
            [Decimal("12"), Decimal("-12"), Decimal()],
            ["+$12.00", "-$12.00", "$0.00"],
        ),
        ("share", [Decimal("0.251")], ["25.1 %"]),
        ("change", [Decimal("0.082"), float("nan")], ["+8.2 %", "–"]),
        ("exact_money", [Decimal("0.5"), Decimal("0.0125")], ["$0.5000", "$0.0125"]),
        ("quantity", [Decimal("1204.5"), Decimal("2")], ["1,204.5", "2.0"]),
        ("number", [1204.0, None], ["1,204", "–"]),
        ("line", [[900.0, 1500.0, 1200.0]], ["3 months: $900 to $1.2k, at most $1.5k"]),
    ],
)
def test_cells_are_written_as_everywhere_else(
    kind: Kind, values: list[Any], texts: list[str]
) -> None:
    assert sent(Column("Cell", kind), values)["texts"] == texts


def test_a_zero_of_a_statement_is_a_dash() -> None:
    cells = sent(Column("Cell", "money", zero_is_absent=True), [Decimal("0.00"), Decimal("0.01")])
    assert cells["texts"] == ["–", "$0.01"]
    assert cells["values"] == ["0", "0.01"]


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=12, allow_nan=False))
def test_the_browser_sorts_by_the_exact_amount(amount: Decimal) -> None:
    assert Decimal(sent(Column("Cell", "money"), [amount])["values"][0]) == amount


@pytest.mark.parametrize(("months", "label"), [(12, "History"), (13, "13 months")])
def test_a_line_says_thirteen_months_only_of_thirteen(months: int, label: str) -> None:
    assert sent(Column("Cell", "line"), [[1.0], [1.0] * months])["label"] == label
