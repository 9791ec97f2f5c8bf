"""Small bills of daily usage, written while a month is still going on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from chargeback.billing_period import month_of
from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.statement.accrual import Accrual, build_accrual
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT
from chargeback.workspace import Workspace
from tests.bills import Line, line, whole, write_bill

TODAY = date(2026, 10, 30)
MORNING = datetime(2026, 10, 30, 6, tzinfo=UTC)
"""When a bill holds all of 28 October: 29 (a Thursday), 30 and 31 are missing."""


def used(day: date, cost: str | Decimal, type_: str = "Usage", **columns: str) -> Line:
    """A line of a day of any month, billed in that month."""
    noon = datetime.combine(day, time(12))
    at = {"line_item_usage_start_date": noon, "line_item_usage_end_date": noon}
    return {**line(cost, type_, **columns), **at}


def daily(first: date, last: date, cost: str | Decimal, **columns: str) -> Iterator[Line]:
    """The same on each day from `first` to `last`, both included."""
    for back in range((last - first).days + 1):
        yield used(first + timedelta(days=back), cost, **columns)


def answers_on(folder: Path, lines: Iterable[Line], written: datetime = MORNING) -> Answers:
    """The reports over these lines, each billed in its own month."""
    months = {month: list(mine) for month, mine in groupby(sorted(lines, key=_month), key=_month)}
    cur = write_bill(folder / "cur", months, written)
    workspace = Workspace(Settings(cur=cur, store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def _month(each: Line) -> str:
    return month_of(each["line_item_usage_start_date"].date())


def accrual_on(
    answers: Answers,
    by: str = "tenant",
    rules: AllocationSettings = DIRECT,
    month: str = "2026-10",
) -> Accrual:
    return build_accrual(answers, whole(month), by, TODAY, rules)


def amounts_of(accrual: Accrual, currency: str = "USD") -> dict[str, tuple[str, str]]:
    """By unit: what is billed and what is estimated."""
    return {
        line.bill_to: (f"{line.actual}", f"{line.estimated}")
        for line in accrual.lines
        if line.currency == currency
    }
