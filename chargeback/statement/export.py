"""The files of a month: one code path for the command line and the download buttons."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from chargeback import __version__
from chargeback.money import CENT, ZERO, exact_sum
from chargeback.reports import Reports
from chargeback.statement.build import COLUMNS, MONEY, Statement, build_statement
from chargeback.statement.files import FileDigest, Sheet, write_csv, write_workbook

T = TypeVar("T")

DETAIL_COLUMNS = (
    "billing_period",
    "usage_date",
    "usage_account_id",
    "iam_principal",
    "principal_type",
    "principal_name",
    "session_name",
    "tenant",
    "tenant_source",
    "team",
    "team_source",
    "project",
    "cost_center",
    "provider",
    "model",
    "service_tier",
    "token_type",
    "scope",
    "long_context",
    "usage_type",
    "region",
    "line_item_type",
    "invoice_id",
    "usage_amount",
    "pricing_unit",
    "tokens",
    "unblended_cost",
    "net_unblended_cost",
    "currency",
)
DETAIL_MONEY = ("usage_amount", "tokens", "unblended_cost", "net_unblended_cost")
_UNBLENDED, _NET, _CURRENCY = map(
    DETAIL_COLUMNS.index, ("unblended_cost", "net_unblended_cost", "currency")
)


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The three files of an export."""

    statement: Path
    detail: Path
    manifest: Path


def file_names(month: str, by: str) -> tuple[str, str, str]:
    """The names of statement, detail and manifest."""
    return (
        f"chargeback-{by}-{month}.csv",
        f"chargeback-detail-{month}.csv",
        f"manifest-{by}-{month}.json",
    )


def write_export(reports: Reports, month: str, by: str, today: date, out: Path) -> ExportFiles:
    """Writes statement, detail and manifest into `out`; each appears whole or not at all.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the figures do not tie to the bill.
    """
    statement = build_statement(reports, month, by, today)
    files = ExportFiles(*(out / name for name in file_names(month, by)))
    written = _write_whole(files.statement, lambda file: write_csv(file, COLUMNS, statement.rows()))
    sums = dict.fromkeys(statement.bill, ZERO)
    is_net = reports.rules.basis_of(reports.manifest(month)) == "net"
    rows = _adding_up(detail_rows(reports, month), sums, is_net=is_net)
    detail = _write_whole(files.detail, lambda file: write_csv(file, DETAIL_COLUMNS, rows))
    digests = {files.statement: written, files.detail: detail}
    manifest = _manifest(reports, statement, digests, sums)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=_plain) + "\n"
    _write_whole(files.manifest, lambda file: file.write(text.encode()))
    return files


def write_statement_workbook(
    reports: Reports, month: str, by: str, today: date, out: BinaryIO
) -> None:
    """Writes an XLSX workbook with the statement and its detail.

    Raises:
        TooManyRows: the detail is longer than a sheet can be.
    """
    statement = build_statement(reports, month, by, today)
    as_of = f"{statement.data_as_of:%Y-%m-%d %H:%M} UTC"
    heading = f"Amazon Bedrock chargeback by {by.replace('_', ' ')}, {month}"
    write_workbook(
        out,
        [
            Sheet(
                name="Statement",
                title_lines=[heading, f"{statement.period_status}, data as of {as_of}"],
                columns=COLUMNS,
                rows=statement.rows(),
                money_columns=(*MONEY, "total_charge"),
                total_row=len(statement.bill) == 1,
            ),
            Sheet(
                name="Detail",
                title_lines=[f"The lines behind the statement, {month}"],
                columns=DETAIL_COLUMNS,
                rows=detail_rows(reports, month),
                money_columns=DETAIL_MONEY,
                total_row=False,
            ),
        ],
        created=statement.data_as_of,
    )


def detail_rows(reports: Reports, month: str) -> Iterator[list[Any]]:
    """The rows of the detail file, in the order of DETAIL_COLUMNS."""
    for batch in reports.detail(month):
        columns = [batch.column(name).to_pylist() for name in DETAIL_COLUMNS]
        yield from (list(row) for row in zip(*columns, strict=True))


def _adding_up(
    rows: Iterable[list[Any]], sums: dict[str, Decimal], *, is_net: bool
) -> Iterator[list[Any]]:
    """Passes the rows of the detail on, and adds what they come to on the bill to `sums`."""
    for row in rows:
        cost = row[_NET] if is_net and row[_NET] is not None else row[_UNBLENDED]
        sums[row[_CURRENCY]] = exact_sum((sums[row[_CURRENCY]], cost))
        yield row


def _manifest(
    reports: Reports,
    statement: Statement,
    digests: dict[Path, FileDigest],
    detail_sums: dict[str, Decimal],
) -> dict[str, Any]:
    period = reports.manifest(statement.billing_period)
    rules = reports.rules
    return {
        "schema_version": 1,
        "program_version": __version__,
        "billing_period": statement.billing_period,
        "period_status": statement.period_status,
        "data_as_of_utc": f"{statement.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
        "source": period.source,
        "engine": period.engine,
        "query_ids": list(period.query_ids),
        "cost_basis": rules.basis_of(period),
        "bill_to_type": statement.bill_to_type,
        "files": [
            {"name": path.name, "rows": digest.rows, "sha256": digest.sha256}
            for path, digest in digests.items()
        ],
        "totals": [
            _currency_totals(statement, currency, detail)
            for currency, detail in detail_sums.items()
        ],
        "invoices": _invoices(reports, statement),
        "attribution": rules.attribution.describe(),
        "allocation": {"method": "direct", "rules": []},
        "rules_fingerprint": rules.fingerprint,
    }


def _currency_totals(statement: Statement, currency: str, detail: Decimal) -> dict[str, Any]:
    totals = statement.totals(currency)
    # Not rounded: a detail that misses the bill by its last digit must not seem to tie.
    missing = exact_sum((statement.bill[currency], detail.copy_negate()))
    return {
        "currency": currency,
        "bill": statement.bill[currency],
        "statement": {**dict(zip(MONEY, totals, strict=True)), "total_charge": sum(totals)},
        "detail": detail,
        "difference": statement.difference(currency),
        "detail_difference": missing or ZERO.quantize(CENT),
    }


def _invoices(reports: Reports, statement: Statement) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": row["invoice_id"],
            "legal_entity": row["legal_entity"],
            "currency": row["currency"],
            "bill": row["total"],
            "lines": row["line_count"],
        }
        for row in reports.invoices(statement.billing_period).to_pylist()
    ]


def _write_whole(path: Path, write: Callable[[BinaryIO], T]) -> T:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with beside.open("wb") as file:
            result = write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return result


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} does not belong in a manifest")
