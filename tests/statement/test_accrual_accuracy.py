"""How far off accruals of past months would have been, on bills whose days one can add up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeback.billing_period import days_in, months_until
from chargeback.reports.answers import Answers
from chargeback.statement.accrual_accuracy import (
    ALL_UNITS,
    PastAccrual,
    days_missing,
    in_total,
    past_accruals,
)
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, build_statement
from tests.bills import Line, whole
from tests.statement.accruals import TODAY, accrual_on, answers_on, daily, used

SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 28))
THE_29TH, THE_30TH = date(2026, 9, 29), date(2026, 9, 30)
NEWEST = used(date(2026, 10, 28), "1.00", tenant="a")


def past_of(
    answers: Answers,
    days: int = 2,
    rules: AllocationSettings = DIRECT,
    by: str = "tenant",
    month: str = "2026-10",
) -> list[PastAccrual]:
    return past_accruals(answers, whole(month), by, TODAY, rules, days=days)


def amounts_of(found: list[PastAccrual]) -> dict[str, tuple[str, str, str]]:
    """By unit: what would have been accrued, what was billed, and the difference."""
    return {
        each.bill_to: (f"{each.accrued}", f"{each.billed}", f"{each.difference}") for each in found
    }


def test_the_last_days_are_estimated_and_held_against_what_came(tmp_path: Path) -> None:
    lines = [
        *daily(*SEPTEMBER, "10.00", tenant="a"),
        used(THE_29TH, "16.00", tenant="a"),
        used(THE_30TH, "7.00", tenant="new"),
        used(THE_30TH, "50.00", "Tax", tenant="a"),
        NEWEST,
    ]
    found = past_of(answers_on(tmp_path, lines))
    # Of `a` twice 10 would have been estimated where 16 came, of `new` nothing where 7 came.
    assert amounts_of(found) == {
        "a": ("350.00", "346.00", "4.00"),
        "new": ("0.00", "7.00", "-7.00"),
        "(unallocated)": ("0.00", "0.00", "0.00"),
    }
    assert found[-1].ratio is None
    (total,) = in_total(found)
    assert (total.billing_period, total.days, total.currency) == ("2026-09", 2, "USD")
    assert amounts_of([total]) == {ALL_UNITS: ("350.00", "353.00", "-3.00")}
    assert total.ratio == Decimal(-3) / 353


def test_as_many_days_are_left_out_as_are_missing_now(tmp_path: Path) -> None:
    lines = [*daily(SEPTEMBER[0], THE_30TH, "10.00", tenant="a"), NEWEST]
    open_month = answers_on(tmp_path / "open", lines)
    whole_month = answers_on(tmp_path / "whole", lines, datetime(2026, 11, 9, tzinfo=UTC))
    assert days_missing(accrual_on(open_month)) == 3  # 29 to 31 October
    assert days_missing(accrual_on(whole_month)) == 2
    # A month has no more days than it has, and here none before it is stored.
    all_of_it = past_of(open_month, days=31)
    assert {each.days for each in all_of_it} == {days_in("2026-09")}
    assert amounts_of(all_of_it)["a"] == ("0.00", "300.00", "-300.00")


def test_what_rules_move_is_off_where_it_went(tmp_path: Path) -> None:
    lines = [*daily(*SEPTEMBER, "10.00", tenant="shared"), used(THE_30TH, "8.00"), NEWEST]
    moved = {"id": "r", "for": ["tenant"], "take": {"unit": "shared"}, "by": "even", "to": ["a"]}
    rules = AllocationSettings.model_validate({"rules": [moved]})
    assert amounts_of(past_of(answers_on(tmp_path, lines), rules=rules)) == {
        "a": ("300.00", "280.00", "20.00"),
        "shared": ("0.00", "0.00", "0.00"),
        "(unallocated)": ("0.00", "8.00", "-8.00"),
    }


def test_twelve_whole_months_are_looked_at_and_no_other(tmp_path: Path) -> None:
    months = months_until("2026-10", 15)
    lines = [
        used(date.fromisoformat(f"{month}-{day}"), "1.00") for month in months for day in (20, 21)
    ]
    found = past_of(answers_on(tmp_path, lines))
    assert [each.billing_period for each in found] == months[2:14]


def test_a_month_that_is_not_whole_yet_is_no_measure(tmp_path: Path) -> None:
    lines = [used(date(2026, 8, 20), "1.00"), used(date(2026, 9, 20), "1.00")]
    # 30 September ended nine hours before.
    answers = answers_on(tmp_path, lines, datetime(2026, 10, 1, 9, tzinfo=UTC))
    assert [each.billing_period for each in past_of(answers)] == ["2026-08"]


costs = st.decimals("-5", "90", places=12)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 30), st.sampled_from("ab"), st.sampled_from(("USD", "EUR")), costs
        ),
        min_size=1,
    ),
    st.integers(1, 9),
)
def test_every_total_is_the_sum_of_its_units_and_ties_to_the_statement(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[int, str, str, Decimal]],
    days: int,
) -> None:
    bill: list[Line] = [
        used(date(2026, 9, day), cost, tenant=unit, currency=currency)
        for day, unit, currency, cost in lines
    ]
    answers = answers_on(tmp_path_factory.mktemp("bill"), [*bill, NEWEST])
    found = past_of(answers, days)
    statement = build_statement(answers, whole("2026-09"), "tenant", TODAY)
    assert {(each.currency, each.bill_to): each.billed for each in found if each.billed} == {
        (each.currency, each.bill_to): each.total for each in statement.charges if each.total
    }
    by_account = past_of(answers, days, by="account")
    for mine, other in zip(in_total(found), in_total(by_account), strict=True):
        assert mine == other
        assert mine.billed == sum(statement.totals(mine.currency))
