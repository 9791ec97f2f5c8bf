"""One bill, its store and its rules: what is read, when, and what must do when it can't be."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.rules import AttributionRules
from chargeback.billing_period import today
from chargeback.demo import write_demo
from chargeback.dimensions import UNALLOCATED
from chargeback.errors import SourceProblem, UsageProblem
from chargeback.reports.ranking import filter_options
from chargeback.reports.summary import summarise
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace

TODAY = date(2026, 11, 23)
OLDER, NEWEST = "2026-10", "2026-11"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October and November 2026."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, today=TODAY, months=2, lines=300)
    return folder


@pytest.fixture
def workspace(demo: Path, tmp_path: Path) -> Workspace:
    """A copy of the bill that a test may change, and an empty store."""
    return Workspace(Settings(cur=shutil.copytree(demo, tmp_path / "cur"), store=tmp_path / "st"))


def break_month(workspace: Workspace, month: str) -> None:
    assert workspace.settings.cur
    (file,) = workspace.settings.cur.glob(f"*/data/BILLING_PERIOD={month}/*.parquet")
    file.write_bytes(b"PAR1")


def bill(workspace: Workspace, month: str) -> Decimal:
    return summarise(workspace.answers(), View(month, "USD", EVERYTHING), TODAY).month.cost


def test_everything_is_out_of_date_until_it_was_read(workspace: Workspace) -> None:
    assert [period.billing_period for period in workspace.out_of_date()] == [NEWEST, OLDER]
    assert workspace.refresh(OLDER) == [OLDER]
    assert [period.billing_period for period in workspace.out_of_date()] == [NEWEST]
    assert workspace.refresh(months=1) == [NEWEST]
    assert workspace.out_of_date() == []
    assert workspace.answers().months == [NEWEST, OLDER]


def test_a_month_that_the_bill_lacks_cannot_be_asked_for(workspace: Workspace) -> None:
    for ask in (workspace.refresh, workspace.ensure):
        with pytest.raises(UsageProblem, match="no billing period 2020-01"):
            ask("2020-01")


def test_a_month_read_before_must_do_when_it_breaks(workspace: Workspace) -> None:
    assert workspace.ensure(NEWEST) is None
    before = bill(workspace, NEWEST)
    break_month(workspace, NEWEST)
    problem = workspace.ensure(NEWEST)
    assert isinstance(problem, SourceProblem)
    assert NEWEST in problem.what
    assert bill(workspace, NEWEST) == before


def test_a_month_never_read_is_an_error_when_it_breaks(workspace: Workspace) -> None:
    break_month(workspace, NEWEST)
    with pytest.raises(SourceProblem, match=NEWEST):
        workspace.ensure(NEWEST)
    assert workspace.ensure(OLDER) is None


def test_a_bill_that_went_away_leaves_what_was_read(workspace: Workspace) -> None:
    workspace.refresh()
    assert workspace.settings.cur
    shutil.rmtree(workspace.settings.cur)
    assert isinstance(workspace.ensure(OLDER), SourceProblem)
    assert workspace.answers().months == [NEWEST, OLDER]
    with pytest.raises(SourceProblem, match="can't be read"):
        workspace.out_of_date()


def test_other_rules_read_the_store_and_not_the_bill(workspace: Workspace) -> None:
    workspace.refresh()
    assert workspace.settings.cur
    shutil.rmtree(workspace.settings.cur)
    by_account = AttributionRules(team=["account"])
    other = Workspace(workspace.settings.model_copy(update={"attribution": by_account}))
    options = filter_options(other.answers(), View(OLDER, "USD", EVERYTHING))
    assert options["team"].keys() - {UNALLOCATED} == options["account"].keys() - {""}
    assert bill(other, OLDER) == bill(workspace, OLDER)


@pytest.fixture(params=["Pacific/Kiritimati", "Etc/GMT+12"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of the two, 14 hours ahead and 12 behind, one has another date than UTC at any moment."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def test_a_month_is_over_in_utc_wherever_the_machine_stands(zone: str) -> None:
    before = datetime.now(UTC).date()
    assert before <= today() <= datetime.now(UTC).date(), zone
