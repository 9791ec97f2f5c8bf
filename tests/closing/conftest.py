"""Small bills of several months, their workspace, and what closes their months."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chargeback.access.change import Actor
from chargeback.access.rows import EVERYTHING
from chargeback.closing.close import close_month
from chargeback.closing.reopen import reopen_month
from chargeback.closing.statements import Statements, book_of
from chargeback.errors import Problem
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import WRITTEN, Line, line, write_bill

TODAY = date(2026, 12, 10)
ANN, BOB = Actor("ann"), Actor("bob")


class Company:
    """A bill in files, with a store and a ledger; what is delivered is newer than all before."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder, self.delivered = folder, 0
        places = {name: folder / name for name in ("cur", "store", "ledger")}
        self.settings = Settings.model_validate({**places, **settings})

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.settings)

    def deliver(self, months: Mapping[str, Sequence[Line]]) -> None:
        """Writes months of the bill, and reads them."""
        self.delivered += 1
        dated = {
            month: [in_month(month, each) for each in lines] for month, lines in months.items()
        }
        write_bill(self.folder / "cur", dated, WRITTEN + timedelta(hours=self.delivered))
        self.workspace.refresh()

    def statements(self) -> Statements:
        """Of the store and the ledger as they are."""
        workspace = self.workspace
        answers = workspace.answers()
        now = answers if answers.months else None
        return Statements(workspace, book_of(workspace, answers), now, EVERYTHING, TODAY)

    def close(
        self, month: str, actor: Actor = ANN, note: str = "looked at", despite: Sequence[str] = ()
    ) -> None:
        close_month(self.statements(), month, actor, note, despite)

    def reopen(self, month: str, reason: str = "wrong") -> None:
        reopen_month(self.statements(), month, ANN, reason)


def in_month(month: str, each: Line) -> Line:
    """The same line, used on the third of a month unless it says otherwise."""
    day = each["line_item_usage_start_date"].day
    start = datetime(int(month[:4]), int(month[5:]), day, 12)
    return {
        **each,
        "line_item_usage_start_date": start,
        "line_item_usage_end_date": start + timedelta(hours=1),
    }


def usual() -> list[Line]:
    """Two tenants, nobody's spend, tax, and a model from AWS Marketplace."""
    return [
        line("100.005", tenant="acme", cost_center="CC1"),
        line("50.333", tenant="globex", cost_center="CC2"),
        line("7.77"),
        line("20.01", "Tax", principal=None),
        line(
            "31.50",
            tenant="acme",
            bill_billing_entity="AWS Marketplace",
            line_item_product_code="prod-1",
            product={"product_name": "Claude (Amazon Bedrock Edition)"},
        ),
    ]


AUGUST, SEPTEMBER, OCTOBER = "2026-08", "2026-09", "2026-10"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS account: Cost Explorer and the invoices can't be asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Three months, all alike."""
    found = Company(tmp_path)
    found.deliver({month: usual() for month in (AUGUST, SEPTEMBER, OCTOBER)})
    return found


@pytest.fixture
def new_company(tmp_path: Path) -> Callable[..., Company]:
    """The same under other settings."""

    def make(name: str = "other", **settings: object) -> Company:
        found = Company(tmp_path / name, **settings)
        found.deliver({month: usual() for month in (AUGUST, SEPTEMBER, OCTOBER)})
        return found

    return make


def ends_of_two(company: Company, month: str) -> list[str]:
    """How it ends for two who close a month at once: what each is told, or 'closed'; sorted."""
    both = [(company.statements(), actor) for actor in (ANN, BOB)]

    def close(at: int) -> str:
        statements, actor = both[at]
        try:
            close_month(statements, month, actor, "mine")
        except Problem as problem:
            return problem.what
        return "closed"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(close, range(2)))
