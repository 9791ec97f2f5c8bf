"""The files of a month: one code path for the command line and the download buttons."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, BinaryIO, TypeVar

from chargeback import __version__
from chargeback.enrichment.bill import CostBasis
from chargeback.errors import Problem
from chargeback.files.atomic import flush, sha256_of
from chargeback.files.csv_file import FileDigest, write_csv
from chargeback.files.holds import delete_unless_held, holding
from chargeback.files.workbook import Sheet, write_workbook
from chargeback.money import CENT, ZERO, exact_sum
from chargeback.notices import Notice
from chargeback.reports.answers import Answers
from chargeback.reports.charges import detail, invoice_totals
from chargeback.reports.view import View
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import COLUMNS, DIRECT, MONEY, Statement, build_statement

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
    "payer_account_id",
    "legal_entity",
    "product_code",
    "resource_id",
    "billed_cost",
)
ALLOCATION_COLUMNS = (
    "billing_period",
    "bill_to_type",
    "rule_id",
    "rule_name",
    "column",
    "from_unit",
    "to_unit",
    "by",
    "weight",
    "share",
    "pool",
    "amount",
    "currency",
)
DETAIL_MONEY = ("usage_amount", "tokens", "unblended_cost", "net_unblended_cost", "billed_cost")
_BILLED, _CURRENCY = map(DETAIL_COLUMNS.index, ("billed_cost", "currency"))
UNFINISHED = ".chargeback-unfinished-"
"""Begins the name of a folder that files of an export are written in before they appear."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files of an export, and what it found in their folder."""

    statement: Path
    detail: Path
    manifest: Path
    allocation: Path | None = None
    """What moved between units; None where nothing is set that could."""
    notices: tuple[Notice, ...] = ()
    """What of the allocation had no effect."""
    outdated: tuple[str, ...] = ()
    """Names of the manifests of other sets there, of which a file is no longer theirs."""

    @property
    def all(self) -> list[Path]:
        """Every file that was written, the manifest last."""
        moves = [self.allocation] if self.allocation else []
        return [self.statement, self.detail, *moves, self.manifest]


def file_names(month: str, by: str) -> tuple[str, str, str]:
    """The names of statement, detail and manifest."""
    return (
        f"chargeback-{by}-{month}.csv",
        f"chargeback-detail-{month}.csv",
        f"manifest-{by}-{month}.json",
    )


def allocation_name(month: str, by: str) -> str:
    """The name of the file that says what moved between units."""
    return f"chargeback-allocation-{by}-{month}.csv"


def write_export(  # noqa: PLR0913
    answers: Answers,
    view: View,
    by: str,
    today: date,
    out: Path,
    *,
    allocation: AllocationSettings = DIRECT,
    up_to_date: bool = True,
) -> ExportFiles:
    """Writes the files of a statement into `out`: they appear together, the manifest last.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: the unit that is charged.
        today: the date in UTC.
        out: the folder; made if it isn't there.
        allocation: what follows usage, and the rules.
        up_to_date: whether the bill could be asked for anything newer; said in the manifest.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the figures do not tie to the bill, or a file can't be written.
    """
    statement = build_statement(answers, view, by, today, allocation)
    files = _files_in(out, statement)
    with _named_problems(out, files.statement.name):
        out.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(out)
        draft = Path(mkdtemp(prefix=UNFINISHED, dir=out))
    with holding(draft):
        try:
            _write_set(answers, statement, _files_in(draft, statement), up_to_date)
            with _named_problems(out, files.manifest.name):
                _put_in_place(draft, files)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    found = tuple(each for each in statement.notices if each.code == "rule-without-effect")
    return replace(files, notices=found, outdated=_outdated(out, view.month, files))


def _files_in(folder: Path, statement: Statement) -> ExportFiles:
    month, by = statement.billing_period, statement.bill_to_type
    charges, detail, manifest = (folder / name for name in file_names(month, by))
    moves = folder / allocation_name(month, by) if statement.settings.is_set else None
    return ExportFiles(charges, detail, manifest, moves)


def _write_set(
    answers: Answers, statement: Statement, files: ExportFiles, up_to_date: bool
) -> None:
    sums = dict.fromkeys(statement.bill, ZERO)
    rows = _adding_up(detail_rows(answers, statement.view), sums)
    tables: list[tuple[Path | None, Sequence[str], Iterable[Sequence[object]]]] = [
        (files.statement, COLUMNS, statement.rows()),
        (files.detail, DETAIL_COLUMNS, rows),
        (files.allocation, ALLOCATION_COLUMNS, allocation_rows(statement)),
    ]
    digests = {
        path: _write(path, partial(write_csv, columns=columns, rows=rows))
        for path, columns, rows in tables
        if path
    }
    said = _manifest(answers, statement, digests, sums, up_to_date)
    text = json.dumps(said, indent=2, ensure_ascii=False, default=_plain) + "\n"
    _write(files.manifest, lambda file: file.write(text.encode()))


def _put_in_place(draft: Path, files: ExportFiles) -> None:
    """The manifest goes first and comes last: a set without one is not whole."""
    folder = files.manifest.parent
    files.manifest.unlink(missing_ok=True)
    if files.allocation is None:  # an earlier set's does not belong to this one
        name = files.statement.name.replace("chargeback-", "chargeback-allocation-", 1)
        (folder / name).unlink(missing_ok=True)
    for file in files.all:
        (draft / file.name).replace(file)
    flush(folder)


def _outdated(out: Path, month: str, files: ExportFiles) -> tuple[str, ...]:
    """Manifests of the month that name another file than lies there now."""
    digests = {file.name: sha256_of(file) for file in files.all[:-1]}
    others = sorted(set(out.glob(f"manifest-*-{month}.json")) - {files.manifest})
    return tuple(other.name for other in others if not _fits(other, digests))


def _fits(manifest: Path, digests: dict[str, str]) -> bool:
    try:
        files = json.loads(manifest.read_bytes())["files"]
        return all(digests.get(file["name"], file["sha256"]) == file["sha256"] for file in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remove_unfinished(out: Path) -> None:
    """What killed exports left."""
    for left in out.glob(f"{UNFINISHED}*"):
        delete_unless_held(left)


@contextmanager
def _named_problems(out: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            f"{out / name} can't be written: {error.strerror}.",
            "Nothing was exported; files that were there before are as they were.",
            "Check the folder's free space and permissions.",
        ) from error


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


def allocation_rows(statement: Statement) -> Iterator[list[Any]]:
    """The rows of the allocation file, in the order of ALLOCATION_COLUMNS."""
    for move in statement.allocation.moves:
        yield [
            statement.billing_period,
            statement.bill_to_type,
            move.rule_id,
            move.rule_name,
            move.column,
            move.from_unit,
            move.to_unit,
            move.by,
            move.weight,
            move.share,
            move.pool,
            move.amount,
            move.currency,
        ]


def detail_rows(answers: Answers, view: View) -> Iterator[list[Any]]:
    """The rows of the detail file, in the order of DETAIL_COLUMNS."""
    for batch in detail(answers, view):
        columns = [batch.column(name).to_pylist() for name in DETAIL_COLUMNS]
        yield from (list(row) for row in zip(*columns, strict=True))


def _adding_up(rows: Iterable[list[Any]], sums: dict[str, Decimal]) -> Iterator[list[Any]]:
    """Passes the rows of the detail on, and adds what they come to on the bill to `sums`."""
    for row in rows:
        sums[row[_CURRENCY]] = exact_sum((sums[row[_CURRENCY]], row[_BILLED]))
        yield row


def _manifest(
    answers: Answers,
    statement: Statement,
    digests: dict[Path, FileDigest],
    detail_sums: dict[str, Decimal],
    up_to_date: bool,
) -> dict[str, Any]:
    month = statement.billing_period
    period, rules = answers.manifest(month), answers.rules
    return {
        "schema_version": 1,
        "program_version": __version__,
        "billing_period": statement.billing_period,
        "period_status": statement.period_status,
        "data_as_of_utc": f"{statement.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
        "source": period.source,
        "engine": period.engine,
        "query_ids": list(period.query_ids),
        "up_to_date": up_to_date,
        "notices": [_said(each) for each in statement.notices],
        "cost_basis": [_basis(each) for each in answers.bill(month).cost_basis],
        "accepted": period.accepted and period.accepted.model_dump(mode="json"),
        "bill_to_type": statement.bill_to_type,
        "files": [
            {"name": path.name, "rows": digest.rows, "sha256": digest.sha256}
            for path, digest in digests.items()
        ],
        "totals": [
            _currency_totals(statement, currency, detail)
            for currency, detail in detail_sums.items()
        ],
        "invoices": _invoices(answers, statement),
        "attribution": rules.attribution.describe(),
        "allocation": statement.settings.describe(),
        "rules_fingerprint": _policy(rules.fingerprint, statement.settings),
    }


def _policy(rules: str, allocation: AllocationSettings) -> str:
    """Changes when somebody decided otherwise, of who pays or of what moves."""
    if not allocation.is_set:
        return rules
    said = json.dumps(allocation.describe(), sort_keys=True)
    return hashlib.sha256(f"{rules}|{said}".encode()).hexdigest()[:16]


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


def _invoices(answers: Answers, statement: Statement) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": row["invoice_id"],
            "legal_entity": row["legal_entity"],
            "currency": row["currency"],
            "bill": row["total"],
            "lines": row["line_count"],
        }
        for row in invoice_totals(answers, statement.view).to_pylist()
    ]


def _said(each: Notice) -> dict[str, Any]:
    return {**each.model_dump(), "text": each.words}


def _basis(each: CostBasis) -> dict[str, Any]:
    return {
        "payer_account_id": each.payer_account_id,
        "currency": each.currency,
        "basis": each.basis,
        "decided_by": each.decided_by,
        "taken_off_by_net_costs": each.taken_off_by_net_costs,
        "taken_off_by_discount_lines": each.taken_off_by_discount_lines,
        "bill": each.total,
    }


def _write(path: Path, write: Callable[[BinaryIO], T]) -> T:
    with _named_problems(path.parent.parent, path.name), path.open("wb") as file:
        result = write(file)
        file.flush()
        os.fsync(file.fileno())
    return result


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} does not belong in a manifest")
