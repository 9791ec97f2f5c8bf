"""The files of a closed month, to the byte as they were frozen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from zipfile import ZipFile

from chargeback.closing.book import ClosedMonth
from chargeback.errors import UsageProblem
from chargeback.files.cells import neutralise
from chargeback.statement.export import (
    ExportFiles,
    allocation_name,
    file_names,
    files_in,
    place,
)
from chargeback.statement.unit_files import INDEX, archive_name, workbooks_name


def frozen_file(closed: ClosedMonth, by: str, name: str) -> bytes:
    """A file of the set by one kind of unit, or the detail, which is the same for all.

    Raises:
        LedgerProblem: it is not what was frozen.
        OSError: it can't be read.
    """
    of_the_set = f"{by}/{name}"
    return closed.read(of_the_set if of_the_set in closed.names() else name)


def export_names(closed: ClosedMonth, by: str) -> list[str]:
    """The files of the export by one kind of unit, the manifest last."""
    charges, detail, manifest = file_names(closed.month, by)
    moves = allocation_name(closed.month, by)
    has_moves = f"{by}/{moves}" in closed.names()
    return [charges, detail, *([moves] if has_moves else []), manifest]


def write_frozen_export(closed: ClosedMonth, by: str, out: Path) -> ExportFiles:
    """Writes the files of the export as they were frozen. Raises Problem."""
    names = export_names(closed, by)
    moves = allocation_name(closed.month, by) in names

    def write(draft: Path) -> None:
        for name in names:
            (draft / name).write_bytes(frozen_file(closed, by, name))

    return place(files_in(out, closed.month, by, moves=moves), write)


def unit_files(closed: ClosedMonth, by: str, unit: str) -> dict[str, bytes]:
    """A unit's statements as they were frozen, by name: document and workbook in each currency.

    Raises:
        UsageProblem: nothing was charged to the unit.
    """
    documents = ZipFile(io.BytesIO(frozen_file(closed, by, archive_name(closed.month, by))))
    workbooks = ZipFile(io.BytesIO(frozen_file(closed, by, workbooks_name(closed.month, by))))
    index = io.StringIO(documents.read(INDEX).decode("utf-8-sig"))
    named = [row["file"] for row in csv.DictReader(index) if row["unit"] == neutralise(unit)]
    if not named:
        raise UsageProblem(
            f"Nothing was charged to {unit!r} in {closed.month}.",
            todo="Choose a unit of the month's statement.",
        )
    found = {}
    for name in named:
        workbook = f"{Path(name).stem}.xlsx"
        found[name] = documents.read(name)
        found[workbook] = workbooks.read(workbook)
    return found
