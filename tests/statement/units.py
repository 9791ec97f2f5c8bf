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
from chargeback.statement.build import DIRECT, Statement, build_statement
from chargeback.statement.unit_gather import gather
from chargeback.statement.unit_settings import StatementSettings
from chargeback.statement.unit_statement import (
    UnitStatement,
    UnitStatements,
    charges_of,
    history_of,
)
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
    visible: Rows = EVERYTHING,
    settings: StatementSettings | None = None,
) -> UnitStatements:
    def charged(each: str) -> Statement:
        return build_statement(answers, View.of_month(each, visible), by, today, rules)

    known = [each for each in history_of(month) if each in answers.months]
    charges = {each: charges_of(charged(each)) for each in known}
    return gather(answers, charged(month), charges, today, settings or StatementSettings())


def statement_on(found: UnitStatements, unit: str) -> UnitStatement:
    (charge,) = found.find(unit)
    return found.of(charge)


def line_of(unit: str, cost: str = "10.00") -> Line:
    return line(cost, tenant=unit, principal=f"arn:aws:iam::111122223333:role/{unit[:30]}")
