"""The bytes behind the download buttons: the very files that the command line writes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from chargeback.billing_period import today
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.statement.export import write_export, write_statement_workbook


def export_file(answers: Answers, view: View, by: str, name: str) -> bytes:
    """One of the three files of an export, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        write_export(answers, view, by, today(), Path(folder))
        return (Path(folder) / name).read_bytes()


def workbook_file(answers: Answers, view: View, by: str) -> bytes:
    """The XLSX workbook with statement and detail. Raises TooManyRows."""
    out = io.BytesIO()
    write_statement_workbook(answers, view, by, today(), out)
    return out.getvalue()
