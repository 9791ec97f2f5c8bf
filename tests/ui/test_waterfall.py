"""The waterfall as Plotly gets it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.formats import money
from chargeback.ui.waterfall import waterfall

AMOUNTS = st.decimals(-(10**7), 10**7, places=2)


def drawn(amounts: list[Decimal], labels: list[str] | None = None) -> dict[str, Any]:
    named = labels or [str(number) for number in range(len(amounts))]
    figure = waterfall(named, amounts, "USD", "light")
    found: dict[str, Any] = figure.to_dict()  # type: ignore[no-untyped-call]
    return found


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=8))
def test_every_level_is_in_sight(previous: Decimal, steps: list[Decimal]) -> None:
    figure = drawn([previous, *steps, sum(steps, previous)])
    low, high = figure["layout"]["xaxis"]["range"]
    levels = [sum(steps[:count], previous) for count in range(len(steps) + 1)]
    assert low < high
    assert all(low <= level <= high for level in levels)


def test_months_are_absolute_and_steps_relative_with_their_amounts_beside() -> None:
    figure = drawn([Decimal(100), Decimal(30), Decimal(-10), Decimal(120)])
    (trace,) = figure["data"]
    assert list(trace["measure"]) == ["absolute", "relative", "relative", "total"]
    said = [note["text"] for note in figure["layout"]["annotations"]]
    assert said == [money(Decimal(100), "USD"), "+$30.00", "-$10.00", "$120.00"]


def test_more_and_less_are_told_apart_without_red_and_green() -> None:
    (trace,) = drawn([Decimal(1), Decimal(1), Decimal(2)])["data"]
    shades = {trace[kind]["marker"]["color"] for kind in ("increasing", "decreasing", "totals")}
    assert len(shades) == 3


@pytest.mark.parametrize(
    ("label", "lines"), [("more tokens", 1), ("tax, fees, credits, discounts", 2)]
)
def test_a_long_label_goes_on_in_a_second_line(label: str, lines: int) -> None:
    figure = drawn([Decimal(1), Decimal(1), Decimal(2)], ["May", label, "June"])
    assert figure["layout"]["yaxis"]["ticktext"][1].count("<br>") == lines - 1
