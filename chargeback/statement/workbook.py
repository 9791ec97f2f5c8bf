"""The workbook of a month: statement, what moved, detail."""

from __future__ import annotations

from datetime import date
from typing import BinaryIO

from chargeback.files.workbook import Sheet, write_workbook
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import COLUMNS, DIRECT, MONEY, build_statement
from chargeback.statement.export_tables import (
    ALLOCATION_COLUMNS,
    DETAIL_COLUMNS,
    DETAIL_MONEY,
    allocation_rows,
    detail_rows,
)


def write_statement_workbook(  # noqa: PLR0913, PLR0917
    answers: Answers,
    view: View,
    by: str,
    today: date,
    out: BinaryIO,
    allocation: AllocationSettings = DIRECT,
) -> None:
    """Writes an XLSX workbook with the statement and its detail.

    Raises:
        TooManyRows: the detail is longer than a sheet can be.
    """
    statement, month = build_statement(answers, view, by, today, allocation), view.month
    as_of = f"{statement.data_as_of:%Y-%m-%d %H:%M} UTC"
    heading = f"Amazon Bedrock chargeback by {by.replace('_', ' ')}, {month}"
    sheets = [
        Sheet(
            name="Statement",
            title_lines=[heading, f"{statement.period_status}, data as of {as_of}"],
            columns=COLUMNS,
            rows=statement.rows(),
            money_columns=(*MONEY, "total_charge"),
            total_row=len(statement.bill) == 1,
        ),
        Sheet(
            name="Allocation",
            title_lines=[f"What moved between units, {month}"],
            columns=ALLOCATION_COLUMNS,
            rows=allocation_rows(statement),
            money_columns=("pool", "amount"),
            total_row=False,
        ),
        Sheet(
            name="Detail",
            title_lines=[f"The lines behind the statement, {month}"],
            columns=DETAIL_COLUMNS,
            rows=detail_rows(answers, view),
            money_columns=DETAIL_MONEY,
            total_row=False,
        ),
    ]
    if not statement.settings.is_set:
        del sheets[1]
    write_workbook(out, sheets, created=statement.data_as_of)
