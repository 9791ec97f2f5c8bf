"""Statements of units over small bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from chargeback.access.rows import EVERYTHING, Rows
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT
from chargeback.statement.unit_gather import gather
from chargeback.statement.unit_settings import StatementSettings
from chargeback.statement.unit_statement import UnitStatement, UnitStatements
from chargeback.workspace import Workspace
from tests.bills import MONTH, Line, line, write_bill

TODAY = date(2026, 12, 1)
BEFORE = "2026-09"


def in_month(month: str, lines: Sequence[Line]) -> list[Line]:
    """The same lines, used in another month of 2026."""
    names = ("line_item_usage_start_date", "line_item_usage_end_date")
    dates = {name: datetime(2026, int(month[-2:]), 3, 12) for name in names}
    return [{**each, **dates} for each in lines]


def answers_on(folder: Path, months: Mapping[str, Sequence[Line]]) -> Answers:
    workspace = Workspace(Settings(cur=write_bill(folder / "cur", months), store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def statements_on(
    answers: Answers,
    by: str = "tenant",
    rules: AllocationSettings = DIRECT,
    *,
    month: str = MONTH,
    today: date = TODAY,
    rows: Rows = EVERYTHING,
    settings: StatementSettings | None = None,
) -> UnitStatements:
    view = View.of_month(month, rows)
    return gather(answers, view, by, today, rules, settings or StatementSettings())


def statement_on(found: UnitStatements, unit: str) -> UnitStatement:
    (charge,) = found.find(unit)
    return found.of(charge)


def line_of(unit: str, cost: str = "10.00") -> Line:
    return line(cost, tenant=unit, principal=f"arn:aws:iam::111122223333:role/{unit[:30]}")
