"""The files of a month: one code path for the command line and the download buttons."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
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
from chargeback.reports.period_status import notices_of
from chargeback.reports.view import View
from chargeback.statement.build import COLUMNS, MONEY, Statement, build_statement

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
DETAIL_MONEY = ("usage_amount", "tokens", "unblended_cost", "net_unblended_cost", "billed_cost")
_BILLED, _CURRENCY = map(DETAIL_COLUMNS.index, ("billed_cost", "currency"))
UNFINISHED = ".chargeback-unfinished-"
"""Begins the name of a folder that files of an export are written in before they appear."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The three files of an export, and what it found in their folder."""

    statement: Path
    detail: Path
    manifest: Path
    outdated: tuple[str, ...] = ()
    """Names of the manifests of other sets there, of which a file is no longer theirs."""


def file_names(month: str, by: str) -> tuple[str, str, str]:
    """The names of statement, detail and manifest."""
    return (
        f"chargeback-{by}-{month}.csv",
        f"chargeback-detail-{month}.csv",
        f"manifest-{by}-{month}.json",
    )


def write_export(  # noqa: PLR0913
    answers: Answers,
    view: View,
    by: str,
    today: date,
    out: Path,
    *,
    up_to_date: bool = True,
) -> ExportFiles:
    """Writes statement, detail and manifest into `out`: they appear together, the manifest last.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: the unit that is charged.
        today: the date in UTC.
        out: the folder; made if it isn't there.
        up_to_date: whether the bill could be asked for anything newer; said in the manifest.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the figures do not tie to the bill, or a file can't be written.
    """
    statement = build_statement(answers, view, by, today)
    names = file_names(view.month, by)
    with _named_problems(out, names[0]):
        out.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(out)
        draft = Path(mkdtemp(prefix=UNFINISHED, dir=out))
    with holding(draft):
        try:
            _write_set(answers, statement, [draft / name for name in names], up_to_date)
            with _named_problems(out, names[2]):
                _put_in_place(draft, out, names)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    charges, detail, manifest = (out / name for name in names)
    return ExportFiles(charges, detail, manifest, _outdated(out, view.month, names))


def _write_set(
    answers: Answers, statement: Statement, files: Sequence[Path], up_to_date: bool
) -> None:
    charges, detail, manifest = files
    sums = dict.fromkeys(statement.bill, ZERO)
    rows = _adding_up(detail_rows(answers, statement.view), sums)
    digests = {
        charges: _write(charges, lambda file: write_csv(file, COLUMNS, statement.rows())),
        detail: _write(detail, lambda file: write_csv(file, DETAIL_COLUMNS, rows)),
    }
    said = _manifest(answers, statement, digests, sums, up_to_date)
    text = json.dumps(said, indent=2, ensure_ascii=False, default=_plain) + "\n"
    _write(manifest, lambda file: file.write(text.encode()))


def _put_in_place(draft: Path, out: Path, names: Sequence[str]) -> None:
    """The manifest goes first and comes last: a set without one is not whole."""
    (out / names[-1]).unlink(missing_ok=True)
    for name in names:
        (draft / name).replace(out / name)
    flush(out)


def _outdated(out: Path, month: str, written: Sequence[str]) -> tuple[str, ...]:
    """Manifests of the month that name another file than lies there now."""
    digests = {name: sha256_of(out / name) for name in written[:-1]}
    others = sorted(set(out.glob(f"manifest-*-{month}.json")) - {out / written[-1]})
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


def write_statement_workbook(
    answers: Answers, view: View, by: str, today: date, out: BinaryIO
) -> None:
    """Writes an XLSX workbook with the statement and its detail.

    Raises:
        TooManyRows: the detail is longer than a sheet can be.
    """
    statement, month = build_statement(answers, view, by, today), view.month
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
                rows=detail_rows(answers, view),
                money_columns=DETAIL_MONEY,
                total_row=False,
            ),
        ],
        created=statement.data_as_of,
    )


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
        "notices": [_said(each) for each in notices_of(answers, month)],
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
