"""The bytes behind the download buttons: the very files that the command line writes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from chargeback.billing_period import today
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.export import write_export
from chargeback.statement.workbook import write_statement_workbook


def export_file(
    answers: Answers, view: View, by: str, name: str, rules: AllocationSettings
) -> bytes:
    """One of the files of an export, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        write_export(answers, view, by, today(), Path(folder), allocation=rules)
        return (Path(folder) / name).read_bytes()


def workbook_file(
    answers: Answers, view: View, by: str, rules: AllocationSettings, *, detail: bool
) -> bytes:
    """The XLSX workbook of a month. Raises TooManyRows."""
    out = io.BytesIO()
    write_statement_workbook(answers, view, by, today(), out, rules, detail=detail)
    return out.getvalue()
