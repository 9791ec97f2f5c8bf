"""Accruals of small bills whose days one can add up, and of the demo's."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.demo import write_demo
from chargeback.dimensions import CHARGED
from chargeback.errors import Problem, UsageProblem
from chargeback.money import cents, exact_sum
from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.statement.accrual import build_accrual
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import build_statement
from chargeback.workspace import Workspace
from tests.bills import whole, write_bill
from tests.statement.accruals import (
    MORNING,
    TODAY,
    accrual_on,
    amounts_of,
    answers_on,
    daily,
    used,
)

FIRST, NEWEST = date(2026, 10, 1), date(2026, 10, 28)
UNALLOCATED = ("0.00", "0.00")
SHARED = {"id": "r", "for": ["tenant"], "by": "even"}
EVEN = AllocationSettings.model_validate(
    {"rules": [{**SHARED, "take": {"unit": "shared"}, "to": ["a", "b"]}]}
)


def test_three_missing_days_are_three_more_days_like_those_before(tmp_path: Path) -> None:
    accrual = accrual_on(answers_on(tmp_path, daily(FIRST, NEWEST, "10.00", tenant="a")))
    # 28 days are billed, 29 to 31 October are not.
    assert amounts_of(accrual) == {"a": ("280.00", "30.00"), "(unallocated)": UNALLOCATED}
    assert accrual.accrued("USD") == Decimal("310.00")
    assert accrual.weekdays == (4, 4)


def test_usage_that_has_come_of_a_missing_day_is_billed_and_not_estimated(tmp_path: Path) -> None:
    lines = [*daily(FIRST, NEWEST, "10.00", tenant="a"), used(date(2026, 10, 29), "4", tenant="a")]
    assert amounts_of(accrual_on(answers_on(tmp_path, lines)))["a"] == ("284.00", "26.00")


def test_what_is_no_usage_is_as_billed(tmp_path: Path) -> None:
    # All on a Thursday of which the mean for the 29th is made.
    thursday = date(2026, 10, 22)
    lines = [
        *daily(FIRST, NEWEST, "10.00", tenant="a"),
        used(thursday, "40", "Tax", tenant="a"),
        used(thursday, "-20", "Credit", tenant="a"),
        used(thursday, "100", "Fee", tenant="a"),
    ]
    accrual = accrual_on(answers_on(tmp_path, lines))
    assert amounts_of(accrual)["a"] == ("400.00", "30.00")
    assert accrual.lines[0].tax == 40


def test_a_unit_that_is_new_has_the_mean_of_four_weeks_it_had_no_usage_in(tmp_path: Path) -> None:
    lines = [
        *daily(FIRST, NEWEST, "10.00", tenant="old"),
        *daily(date(2026, 10, 22), NEWEST, "8.00", tenant="new"),
    ]
    # Of four Thursdays, Fridays and Saturdays it was there on one each: 3 × 8 / 4.
    assert amounts_of(accrual_on(answers_on(tmp_path, lines)))["new"] == ("56.00", "6.00")


def test_a_unit_without_usage_yet_is_accrued_early_in_a_month(tmp_path: Path) -> None:
    september = list(daily(date(2026, 9, 1), date(2026, 9, 30), "1.00", cost_center="CC-1"))
    lines = [*september, used(FIRST, "5", cost_center="CC-2")]
    written = datetime(2026, 10, 2, 23, tzinfo=UTC)  # nothing of October is whole
    accrual = accrual_on(answers_on(tmp_path, lines, written), "cost_center")
    assert len(accrual.gap) == 31
    # The 1st is likely to cost 1 and has cost 5: nothing is open. 30 days remain.
    assert amounts_of(accrual) == {
        "CC-1": ("0.00", "30.00"),
        "CC-2": ("5.00", "0.00"),
        "(unallocated)": UNALLOCATED,
    }
    assert [line.cost_center for line in accrual.lines] == ["CC-1", "CC-2", ""]


def test_where_fewer_weekdays_are_stored_it_is_said_how_few(tmp_path: Path) -> None:
    lines = daily(date(2026, 10, 1), date(2026, 10, 8), "10.00", tenant="a")
    accrual = accrual_on(answers_on(tmp_path, lines, datetime(2026, 10, 10, 6, tzinfo=UTC)))
    # 9 to 31 October: one of each weekday before, of Thursday two.
    assert amounts_of(accrual)["a"] == ("80.00", "230.00")
    assert accrual.weekdays == (1, 2)


def test_currencies_are_accrued_apart(tmp_path: Path) -> None:
    lines = [
        *daily(FIRST, NEWEST, "10.00", tenant="a"),
        *daily(FIRST, NEWEST, "1.00", tenant="a", currency="EUR"),
    ]
    accrual = accrual_on(answers_on(tmp_path, lines))
    assert accrual.currencies == ["EUR", "USD"]
    assert amounts_of(accrual, "EUR")["a"] == ("28.00", "3.00")
    assert amounts_of(accrual, "USD")["a"] == ("280.00", "30.00")
    assert accrual.sellers == {("EUR", "AWS"): 31, ("USD", "AWS"): 310}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        # By the 30th, the bill says that October had no usage: none is likely.
        (MORNING, {"": {"(unallocated)": UNALLOCATED}}),
        # By the 2nd it says nothing of October yet: 31 days as those of September.
        (
            datetime(2026, 10, 2, tzinfo=UTC),
            {"USD": {"a": ("0.00", "31.00"), "(unallocated)": UNALLOCATED}},
        ),
    ],
)
def test_a_month_without_a_line_is_estimated_from_the_one_before(
    written: datetime, found: dict[str, dict[str, tuple[str, str]]], tmp_path: Path
) -> None:
    september = list(daily(date(2026, 9, 1), date(2026, 9, 30), "1.00", tenant="a"))
    cur = write_bill(tmp_path / "cur", {"2026-09": september, "2026-10": []}, written)
    workspace = Workspace(Settings(cur=cur, store=tmp_path / "store"))
    workspace.refresh()
    accrual = accrual_on(workspace.answers())
    assert {each: amounts_of(accrual, each) for each in accrual.currencies} == found
    assert exact_sum(accrual.sellers.values()) == exact_sum(each.accrued for each in accrual.lines)


def test_a_month_that_is_whole_is_accrued_as_billed(tmp_path: Path) -> None:
    lines = daily(FIRST, NEWEST, "10.00", tenant="a")
    accrual = accrual_on(answers_on(tmp_path, lines, datetime(2026, 11, 2, tzinfo=UTC)))
    assert accrual.gap == {}
    assert amounts_of(accrual)["a"] == ("280.00", "0.00")


def test_an_estimate_goes_where_rules_move_its_unit(tmp_path: Path) -> None:
    lines = [
        line
        for tenant in ("a", "b", "shared")
        for line in daily(FIRST, NEWEST, "10.00", tenant=tenant)
    ]
    accrual = accrual_on(answers_on(tmp_path, lines), "tenant", EVEN)
    assert amounts_of(accrual) == {
        "a": ("420.00", "45.00"),
        "b": ("420.00", "45.00"),
        "shared": UNALLOCATED,
        "(unallocated)": UNALLOCATED,
    }


def test_what_followed_usage_to_a_unit_counts_for_what_it_held(tmp_path: Path) -> None:
    lines = [
        *daily(FIRST, NEWEST, "10.00", tenant="a"),
        *daily(FIRST, NEWEST, "10.00", tenant="shared"),
        used(FIRST, "56", "Tax"),
    ]
    take = {"unit": "shared", "line_type": "Usage"}
    rules = AllocationSettings.model_validate(
        {"tax": "usage", "rules": [{**SHARED, "take": take, "to": ["a"]}]}
    )
    # `shared` held 280 of usage and half of the tax, 28, which stays: it keeps 28 of 308.
    accrual = accrual_on(answers_on(tmp_path, lines), "tenant", rules)
    assert amounts_of(accrual)["shared"] == ("28.00", f"{cents(Decimal(30) * 28 / 308)}")
    assert accrual.estimated("USD") == 60


def test_a_closed_month_has_nothing_to_accrue(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, daily(FIRST, NEWEST, "10.00"))
    with pytest.raises(Problem, match="2026-10 is closed"):
        build_accrual(answers, whole("2026-10"), "tenant", TODAY, is_closed=True)
    with pytest.raises(UsageProblem, match="no billing period 2026-11"):
        accrual_on(answers, month="2026-11")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The demo's bill as it is on 20 November: 19 to 30 November are missing."""
    folder = tmp_path_factory.mktemp("demo")
    today = date(2026, 11, 20)
    write_demo(folder / "cur", today=today, months=3, lines=1500)
    at = datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()
    for file in (folder / "cur").rglob("*.*"):
        os.utime(file, (at, at))
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def test_an_accrual_comes_to_the_same_whatever_it_is_made_out_to(demo: Answers) -> None:
    accruals = [accrual_on(demo, by, month="2026-11") for by in CHARGED]
    assert {len(each.gap) for each in accruals} == {12}
    (accrued,) = {each.accrued("USD") for each in accruals}
    (estimated,) = {each.estimated("USD") for each in accruals}
    assert accrued == cents(demo.bill("2026-11").totals["USD"]) + estimated
    assert estimated > 0
    for accrual in accruals:
        statement = build_statement(demo, whole("2026-11"), accrual.statement.bill_to_type, TODAY)
        assert {charge.bill_to: charge.total for charge in statement.charges} == {
            line.bill_to: line.actual for line in accrual.lines if line.actual or not line.estimated
        }
        assert exact_sum(accrual.sellers.values()) == accrued
        assert accrual.lines[-1].bill_to == "(unallocated)"
    assert {seller for _, seller in accruals[0].sellers} == {"AWS", "AWS Marketplace"}
