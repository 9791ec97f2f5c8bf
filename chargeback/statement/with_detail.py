"""The workbook of a month and the lines behind it, in one archive.

The lines are the detail file of the export. With a sheet of them, all took six times as long to
write, and held no more than Excel's million rows with amounts of fifteen digits.
"""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from chargeback.files.archive import put, put_file
from chargeback.reports.answers import Answers
from chargeback.statement.build import Statement
from chargeback.statement.export import write_export
from chargeback.statement.workbook import workbook_name, write_statement_workbook


def with_detail_name(month: str, by: str) -> str:
    """The name of the archive."""
    return f"chargeback-{by}-{month}-with-detail.zip"


def write_with_detail(answers: Answers, statement: Statement, out: BinaryIO) -> None:
    """Writes a ZIP archive of two files: the workbook, and the detail as it is exported.

    Args:
        answers: the figures that the statement was made of.
        statement: of the month.
        out: where to; stays open.

    Raises:
        Problem: a file can't be written.
    """
    workbook = io.BytesIO()
    write_statement_workbook(statement, workbook)
    with TemporaryDirectory() as folder, ZipFile(out, "w", ZIP_DEFLATED) as archive:
        name = workbook_name(statement.billing_period, statement.bill_to_type)
        put(archive, name, workbook.getvalue())
        put_file(archive, write_export(answers, statement, Path(folder)).detail)
