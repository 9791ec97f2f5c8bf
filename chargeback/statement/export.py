"""The files of a month: one code path for the command line and the download buttons."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, TypeVar

import pyarrow as pa
from pyarrow import compute

from chargeback.errors import Problem
from chargeback.files.atomic import flush, sha256_of
from chargeback.files.csv_file import FileDigest, write_csv, write_csv_batches
from chargeback.files.drafts import drafting
from chargeback.money import ZERO, exact_sum
from chargeback.notices import Notice
from chargeback.reports.answers import Answers
from chargeback.reports.charges import detail
from chargeback.statement.build import Statement
from chargeback.statement.export_manifest import as_json, describe_export
from chargeback.statement.export_tables import (
    ALLOCATION_COLUMNS,
    DETAIL_COLUMNS,
    allocation_rows,
)

T = TypeVar("T")

_BILLED, _CURRENCY = "billed_cost", "currency"
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


def allocation_beside(statement: Path) -> Path:
    """Where the allocation lies that belongs to a statement, if there is one."""
    name = statement.name.replace("chargeback-", "chargeback-allocation-", 1)
    return statement.with_name(name)


def write_export(
    answers: Answers, statement: Statement, out: Path, *, up_to_date: bool = True
) -> ExportFiles:
    """Writes the files of a statement into `out`: they appear together, the manifest last.

    Args:
        answers: the figures that the statement was made of.
        statement: of the month, and all of the month that the reader may see.
        out: the folder; made if it isn't there.
        up_to_date: whether the bill could be asked for anything newer; said in the manifest.

    Raises:
        Problem: a file can't be written.
    """
    month, by = statement.billing_period, statement.bill_to_type
    moves = statement.settings.is_set

    def write(draft: Path) -> None:
        _write_set(answers, statement, files_in(draft, month, by, moves=moves), up_to_date)

    files = place(files_in(out, month, by, moves=moves), write)
    return replace(files, notices=statement.without_effect, outdated=_outdated(out, month, files))


def files_in(folder: Path, month: str, by: str, *, moves: bool) -> ExportFiles:
    """The paths of an export's files; `moves` says whether an allocation is among them."""
    charges, detail, manifest = (folder / name for name in file_names(month, by))
    allocation = folder / allocation_name(month, by)
    return ExportFiles(charges, detail, manifest, allocation if moves else None)


def place(files: ExportFiles, write: Callable[[Path], None]) -> ExportFiles:
    """Has files written into a folder beside, then puts them in place together, the manifest last.

    Args:
        files: where they are to be.
        write: writes all of them, under their names, into the folder that it is given.

    Raises:
        Problem: a file can't be written.
    """
    out = files.manifest.parent
    with ExitStack() as stack:
        with _named_problems(out, files.statement.name):
            draft = stack.enter_context(drafting(out, UNFINISHED))
        write(draft)
        with _named_problems(out, files.manifest.name):
            _put_in_place(draft, files)
    return files


def _write_set(
    answers: Answers, statement: Statement, files: ExportFiles, up_to_date: bool
) -> None:
    def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> FileDigest:
        return _write(path, lambda file: write_csv(file, columns, rows))

    sums = dict.fromkeys(statement.bill, ZERO)
    lines = _adding_up(detail(answers, statement.view), sums)
    digests = {
        files.statement: write(files.statement, statement.columns, statement.rows()),
        files.detail: _write(
            files.detail, lambda file: write_csv_batches(file, DETAIL_COLUMNS, lines)
        ),
    }
    if files.allocation:
        moves = allocation_rows(statement)
        digests[files.allocation] = write(files.allocation, ALLOCATION_COLUMNS, moves)
    said = describe_export(answers, statement, digests, sums, up_to_date)
    text = json.dumps(said, indent=2, ensure_ascii=False, default=as_json) + "\n"
    _write(files.manifest, lambda file: file.write(text.encode()))


def _put_in_place(draft: Path, files: ExportFiles) -> None:
    """The manifest goes first and comes last: a set without one is not whole."""
    files.manifest.unlink(missing_ok=True)
    if files.allocation is None:  # an earlier set's does not belong to this one
        allocation_beside(files.statement).unlink(missing_ok=True)
    for file in files.all:
        (draft / file.name).replace(file)
    flush(files.manifest.parent)


def _outdated(out: Path, month: str, files: ExportFiles) -> tuple[str, ...]:
    """Manifests of the month that name another file than lies there now."""
    others = sorted(set(out.glob(f"manifest-*-{month}.json")) - {files.manifest})
    digests = {file.name: sha256_of(file) for file in files.all[:-1]} if others else {}
    return tuple(other.name for other in others if not _fits(other, digests))


def _fits(manifest: Path, digests: dict[str, str]) -> bool:
    try:
        files = json.loads(manifest.read_bytes())["files"]
        return all(digests.get(file["name"], file["sha256"]) == file["sha256"] for file in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def _named_problems(out: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            f"{out / name} can't be written: {error.strerror}.",
            "Nothing was exported; files that were there before are unchanged.",
            "Check the folder's free space and permissions.",
        ) from error


def _adding_up(
    batches: Iterable[pa.RecordBatch], sums: dict[str, Decimal]
) -> Iterator[pa.RecordBatch]:
    """Passes the lines of the detail on, and adds what they come to on the bill to `sums`."""
    for batch in batches:
        currencies, amounts = batch.column(_CURRENCY), batch.column(_BILLED)
        for each in currencies.unique():
            more = compute.sum(amounts.filter(compute.equal(currencies, each))).as_py()
            sums[each.as_py()] = exact_sum((sums[each.as_py()], more))
        yield batch


def _write(path: Path, write: Callable[[BinaryIO], T]) -> T:
    with _named_problems(path.parent.parent, path.name), path.open("wb") as file:
        result = write(file)
        file.flush()
        os.fsync(file.fileno())
    return result
