"""The files of an accrual: what is posted and taken back, and how far off past ones were."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from chargeback.files.atomic import write_whole
from chargeback.files.csv_file import write_csv
from chargeback.statement.accrual import Accrual
from chargeback.statement.accrual_accuracy import PastAccrual
from chargeback.statement.accrual_days import WEEKS
from chargeback.statement.accrual_documents import accrual_documents, posting_dates, reversal_of
from chargeback.statement.build import ABOUT
from chargeback.statement.documents import Document

SCHEMA_VERSION = "1"
COLUMNS = (
    *ABOUT,
    "document_type",
    "document_id",
    "original_document_id",
    "posting_date",
    "actual_to_date",
    "estimated",
    "accrued_amount",
    "days_estimated",
    "method",
)
ACCURACY_COLUMNS = (
    "schema_version",
    "billing_period",
    "bill_to_type",
    "bill_to",
    "currency",
    "days_estimated",
    "accrued_amount",
    "billed_amount",
    "difference",
    "difference_percent",
)
PERCENT_DECIMALS = Decimal("0.01")


def file_names(month: str, by: str) -> tuple[str, str]:
    """The names of the accrual, and of what past ones would have come to."""
    return f"accrual-{by}-{month}.csv", f"accrual-accuracy-{by}-{month}.csv"


def write_accrual(accrual: Accrual, past: Iterable[PastAccrual], out: Path) -> list[Path]:
    """Writes an accrual and how far off past ones were into `out`; returns the files."""
    by = accrual.statement.bill_to_type
    files = [out / name for name in file_names(accrual.statement.billing_period, by)]
    out.mkdir(parents=True, exist_ok=True)
    write_whole(files[0], _csv(COLUMNS, rows(accrual)))
    write_whole(files[1], _csv(ACCURACY_COLUMNS, accuracy_rows(past, by)))
    return files


def rows(accrual: Accrual) -> Iterator[list[Any]]:
    """All documents of the accrual, then all that reverse them, in the order of COLUMNS."""
    accrued = accrual_documents(accrual)
    posted_on, reversed_on = posting_dates(accrued.billing_period)
    for line, document in zip(accrual.lines, accrued.documents, strict=True):
        yield _row(accrual, document, posted_on, line.actual, line.estimated)
    for line, document in zip(accrual.lines, reversal_of(accrued).documents, strict=True):
        yield _row(accrual, document, reversed_on, -line.actual, -line.estimated)


def accuracy_rows(past: Iterable[PastAccrual], by: str) -> Iterator[list[Any]]:
    """A row for each unit of each past month, in the order of ACCURACY_COLUMNS."""
    for each in past:
        yield [
            SCHEMA_VERSION,
            each.billing_period,
            by,
            each.bill_to,
            each.currency,
            each.days,
            each.accrued,
            each.billed,
            each.difference,
            None if each.ratio is None else (each.ratio * 100).quantize(PERCENT_DECIMALS),
        ]


def method_of(accrual: Accrual) -> str:
    """How the amounts were found, in a few words."""
    if not accrual.gap:
        return "actual to date"
    fewest, _ = accrual.weekdays
    stored = "" if fewest == WEEKS else f", fewer where fewer are stored (at least {fewest})"
    return f"actual to date; missing days: mean of the last {WEEKS} same weekdays{stored}"


def _row(
    accrual: Accrual, document: Document, posted_on: date, actual: Decimal, estimated: Decimal
) -> list[Any]:
    statement = accrual.statement
    return [
        SCHEMA_VERSION,
        statement.billing_period,
        statement.period_status,
        f"{statement.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
        statement.bill_to_type,
        document.bill_to,
        document.cost_center,
        document.currency,
        document.document_type,
        document.document_id,
        document.original_document_id,
        posted_on,
        actual,
        estimated,
        document.amount_due,
        len(accrual.gap),
        method_of(accrual),
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.BytesIO()
    write_csv(out, columns, rows)
    return out.getvalue()
