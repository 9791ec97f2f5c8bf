"""What the chart of days says in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from chargeback.ui.daily_spend import highest_day, in_words

FIRST, SECOND, THIRD = (date(2026, 10, day) for day in (1, 2, 3))


def trend(*rows: tuple[date | None, str, str]) -> pd.DataFrame:
    costs = [(day, unit, Decimal(cost)) for day, unit, cost in rows]
    return pd.DataFrame(costs, columns=["usage_date", "unit", "cost"])


SPENT = trend(
    (FIRST, "a", "7.00"),
    (SECOND, "a", "4.005"),
    (SECOND, "b", "4.00"),
    (THIRD, "b", "5.00"),
    (None, "a", "90.00"),
)


def test_the_highest_day_is_that_of_all_units_together() -> None:
    assert highest_day(SPENT, "USD") == "highest on 2 October, $8.01"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(SECOND, "a", "3"), (FIRST, "a", "3")], "highest on 1 October, $3.00"),
        ([(FIRST, "a", "-3"), (SECOND, "a", "-2")], "highest on 2 October, -$2.00"),
        ([(None, "a", "3")], ""),
        ([], ""),
    ],
)
def test_of_equal_days_the_first_and_of_none_nothing(
    rows: list[tuple[date | None, str, str]], said: str
) -> None:
    assert highest_day(trend(*rows), "USD") == said


def test_in_words_every_part_has_its_sum_and_what_has_no_day_is_left_out() -> None:
    said = in_words(SPENT, {"b": "Beta"}, "USD")
    assert said == "3 days, in all: a $11.01, Beta $9.00."  # 7 + 4.005, 4 + 5
