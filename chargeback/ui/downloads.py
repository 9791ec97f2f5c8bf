"""The bytes behind the download buttons: the very files that the command line writes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from chargeback.closing.sent import frozen_file
from chargeback.closing.statements import Statements
from chargeback.statement.export import write_export
from chargeback.statement.with_detail import write_with_detail
from chargeback.statement.workbook import workbook_name, write_statement_workbook


def export_file(statements: Statements, month: str, by: str, name: str) -> bytes:
    """One of the files of an export, by its name; of a closed month as it was frozen."""
    closed = statements.book.find(month)
    if closed and by in closed.record.by:
        return frozen_file(closed, by, name)
    with tempfile.TemporaryDirectory() as folder:
        write_export(statements.answers(month), statements.of(month, by), Path(folder))
        return (Path(folder) / name).read_bytes()


def workbook_file(statements: Statements, month: str, by: str) -> bytes:
    """The XLSX workbook of a month; of a closed one as it was frozen. Raises TooManyRows."""
    closed = statements.book.find(month)
    if closed and by in closed.record.by:
        return frozen_file(closed, by, workbook_name(month, by))
    out = io.BytesIO()
    write_statement_workbook(statements.of(month, by), out)
    return out.getvalue()


def with_detail_file(statements: Statements, month: str, by: str) -> bytes:
    """The archive of the workbook of an open month and the lines behind it."""
    out = io.BytesIO()
    write_with_detail(statements.answers(month), statements.of(month, by), out)
    return out.getvalue()
