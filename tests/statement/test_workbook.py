"""The workbook of a month: the statement's figures under headings that people read."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, build_statement
from chargeback.statement.export import write_export
from chargeback.statement.with_detail import write_with_detail
from chargeback.statement.workbook import write_statement_workbook
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, whole, write_bill

TODAY = date(2026, 12, 1)
MONEY = ["Usage", "Discounts", "Credits", "Refunds", "Tax", "Other", "Shared", "Total charge"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("bill")
    lines = [
        line("10.00", tenant="acme", cost_center="cc-1"),
        line("30.00", tenant="globex", cost_center="cc-2"),
        line("50.00"),
        line("4.00", "Tax"),
    ]
    cur = write_bill(folder / "cur", {MONTH: lines})
    workspace = Workspace(Settings(cur=cur, store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def workbook(answers: Answers, by: str, rules: AllocationSettings = DIRECT) -> Workbook:
    out = io.BytesIO()
    write_statement_workbook(build_statement(answers, whole(MONTH), by, TODAY, rules), out)
    return load_workbook(out)


def rows(book: Workbook, sheet: str) -> list[list[object]]:
    """The cells below the title lines, the header first."""
    found: list[list[object]] = [[cell.value for cell in row] for row in book[sheet].iter_rows()]
    return found[found.index([None] * len(found[0])) + 1 :]


def test_the_statement_is_by_amount_with_nobody_last(answers: Answers) -> None:
    header, *found = rows(workbook(answers, "tenant"), "Statement")
    assert header == ["Tenant", "Cost center", "Currency", *MONEY]
    assert [row[0] for row in found] == ["globex", "acme", "(unallocated)", "Total"]
    charged = {
        each.bill_to: [*each.amounts, each.total]
        for each in build_statement(answers, whole(MONTH), "tenant", TODAY).charges
    }
    assert {row[0]: [Decimal(str(cell)) for cell in row[3:]] for row in found[:-1]} == charged


def test_a_cost_center_stands_once(answers: Answers) -> None:
    header, first, *_ = rows(workbook(answers, "cost_center"), "Statement")
    assert header == ["Cost center", "Currency", *MONEY]
    assert first[0] == "cc-2"


def test_moves_are_a_sheet_only_where_something_can_move(answers: Answers) -> None:
    following = AllocationSettings(tax="usage")
    assert workbook(answers, "tenant").sheetnames == ["Statement"]
    book = workbook(answers, "tenant", following)
    assert book.sheetnames == ["Statement", "Allocation"]
    assert rows(book, "Allocation")[0][:4] == ["Billing period", "Bill to type", "Rule ID", "Rule"]


def archived(answers: Answers) -> bytes:
    out = io.BytesIO()
    write_with_detail(answers, build_statement(answers, whole(MONTH), "tenant", TODAY), out)
    return out.getvalue()


def test_the_archive_holds_the_workbook_and_the_exported_detail(
    answers: Answers, tmp_path: Path
) -> None:
    statement, alone = build_statement(answers, whole(MONTH), "tenant", TODAY), io.BytesIO()
    write_statement_workbook(statement, alone)
    detail = write_export(answers, statement, tmp_path).detail
    with ZipFile(io.BytesIO(archived(answers))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"chargeback-tenant-{MONTH}.xlsx": alone.getvalue(),
            f"chargeback-detail-{MONTH}.csv": detail.read_bytes(),
        }


def test_an_archive_has_the_same_bytes_every_time(answers: Answers) -> None:
    assert archived(answers) == archived(answers)
