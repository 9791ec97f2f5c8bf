"""What prompt caches saved, against amounts made up line by line."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from chargeback.access.rows import EVERYTHING
from chargeback.money import EXACT, LAST_DIGIT, ZERO, exact_sum
from chargeback.reports.cache_savings import (
    CacheSaving,
    by_model,
    cache_savings,
    saving_of,
    total_saving,
    with_cache_savings,
)
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, write_bill

INPUT, READ, WRITE = "input-tokens", "cache-read-tokens", "cache-write-tokens"
VIEW = View(MONTH, "USD", EVERYTHING)


def used(what: str, thousands: int, cost: str, model: str = "NovaPro", **columns: Any) -> Any:  # noqa: ANN401
    """A line of so many thousand tokens."""
    kind = f"{columns.pop('prefix', 'USE1')}-{model}-{what}{columns.pop('suffix', '')}"
    return line(cost, line_item_usage_type=kind, line_item_usage_amount=float(thousands), **columns)


def savings_of(folder: Path, *lines: dict[str, Any]) -> pd.DataFrame:
    workspace = Workspace(
        Settings(cur=write_bill(folder / "cur", {MONTH: lines}), store=folder / "store")
    )
    workspace.refresh()
    return cache_savings(workspace.answers(), VIEW)


def test_reads_save_and_writes_cost(tmp_path: Path) -> None:
    # Input costs 0.80 per thousand tokens; 100 thousand are read for 8, 10 written for 10.
    (row,) = savings_of(
        tmp_path,
        used(INPUT, 1000, "800"),
        used(READ, 100, "8"),
        used(WRITE, 10, "10"),
        used("output-tokens", 10, "32"),
        line("5", "Tax"),
    ).to_dict("records")
    assert (row["model"], row["cached_tokens"], row["cached_cost"]) == ("Nova Pro", 110_000, 18)
    assert row["cache_saving"] == (100 * Decimal("0.8") - 8) - (10 - 10 * Decimal("0.8"))
    assert row["not_counted"] == 0


def test_a_cache_that_is_written_and_not_read_loses(tmp_path: Path) -> None:
    found = savings_of(tmp_path, used(INPUT, 100, "80"), used(WRITE, 10, "10"))
    assert total_saving(found) == 10 * Decimal("0.8") - 10 == -2


def test_each_tier_and_region_has_its_own_price(tmp_path: Path) -> None:
    west = {"prefix": "USW2", "product_region_code": "us-west-2"}
    batch = {"suffix": "-batch"}
    found = savings_of(
        tmp_path,
        *(used(INPUT, 10, "10"), used(READ, 10, "1")),  # saves 9
        *(used(INPUT, 10, "20", **west), used(READ, 10, "2", **west)),  # saves 18
        *(used(INPUT, 10, "5", **batch), used(READ, 10, "0.5", **batch)),  # saves 4.50
    )
    assert list(found["cache_saving"]) == [9 + 18 + Decimal("4.5")]


def test_without_an_input_price_nothing_is_claimed(tmp_path: Path) -> None:
    found = savings_of(
        tmp_path,
        *(used(INPUT, 10, "10"), used(READ, 10, "1")),
        used(READ, 10, "7", prefix="USW2", product_region_code="us-west-2"),
        used(READ, 10, "3", model="NovaLite"),
    )
    rows = {row["model"]: row for row in found.to_dict("records")}
    assert (rows["Nova Pro"]["cache_saving"], rows["Nova Pro"]["not_counted"]) == (9, 7)
    assert (rows["Nova Lite"]["cache_saving"], rows["Nova Lite"]["not_counted"]) == (None, 3)
    assert total_saving(found) == 9


def test_tokens_in_units_of_unknown_size_are_not_counted(tmp_path: Path) -> None:
    unknown = {"pricing_unit": "things"}
    found = savings_of(tmp_path, used(INPUT, 10, "10"), used(READ, 10, "1", **unknown))
    assert list(found["not_counted"]) == [1]
    assert total_saving(found) is None


def test_a_model_without_a_cache_has_no_saving(tmp_path: Path) -> None:
    found = savings_of(tmp_path, used(INPUT, 10, "10"))
    assert found.empty
    ranking = with_cache_savings(pd.DataFrame({"unit": ["Nova Pro"]}), found)
    assert list(ranking["cache_saving"]) == [None]
    assert total_saving(found) is None


AMOUNTS = st.decimals("-1e9", "1e9", places=12)
TOKENS = st.decimals(0, "1e15", places=6)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(["Claude", "Nova"]),
            "input_tokens": TOKENS,
            "input_cost": AMOUNTS,
            "cached_tokens": TOKENS,
            "cached_cost": AMOUNTS,
            "unsized_cost": AMOUNTS,
        }
    ),
    max_size=8,
).map(lambda rows: sorted(rows, key=lambda row: str(row["model"])))
"""As queries/reports/cache_use.sql gives them, by model."""


@given(ROWS)
def test_a_saving_is_a_difference_of_prices_to_twelve_decimals(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        saving = saving_of(row)
        if not row["input_tokens"] or not row["cached_tokens"]:
            assert saving is None
            continue
        assert saving is not None
        price = Fraction(row["input_cost"]) / Fraction(row["input_tokens"])
        exact = Fraction(row["cached_tokens"]) * price - Fraction(row["cached_cost"])
        assert abs(Fraction(saving) - exact) <= Fraction(LAST_DIGIT) / 2


@given(ROWS)
def test_models_add_up_to_the_total_and_nothing_is_lost(rows: list[dict[str, Any]]) -> None:
    found = pd.DataFrame([*by_model(rows)], columns=list(CacheSaving.__annotations__))
    known = [row for row in rows if saving_of(row) is not None]
    assert (total_saving(found) or 0) == exact_sum(saving_of(row) or ZERO for row in known)
    counted = exact_sum(row["cached_cost"] for row in known)
    assert exact_sum(found["cached_cost"]) == EXACT.add(counted, exact_sum(found["not_counted"]))
    paid = exact_sum(EXACT.add(row["cached_cost"], row["unsized_cost"]) for row in rows)
    assert exact_sum(found["cached_cost"]) == paid
