"""Writes the FOCUS files of a month: Parquet, the same as CSV, and what their methods are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from chargeback.dimensions import CHARGED
from chargeback.errors import Problem
from chargeback.files.atomic import flush
from chargeback.files.csv_file import write_csv
from chargeback.files.drafts import drafting
from chargeback.money import EXACT, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.charges import focus_charges
from chargeback.statement.allocation import columns_asked
from chargeback.statement.build import Statement, parts_of
from chargeback.statement.export import UNFINISHED
from chargeback.statement.focus.columns import Version, schema_of
from chargeback.statement.focus.methods import Methods, methods_json
from chargeback.statement.focus.rows import Cells, RowMaker
from chargeback.statement.focus.splitting import Splitting

ROWS_AT_ONCE = 5_000
"""In memory; a group of rows of the Parquet file."""
Unit = tuple[str, str]
"""Currency and unit."""


@dataclass(frozen=True, slots=True)
class FocusFiles:
    """The files of a month in one version of FOCUS."""

    parquet: Path
    csv: Path
    methods: Path

    @property
    def all(self) -> list[Path]:
        """Every file, what describes the others last."""
        return [self.parquet, self.csv, self.methods]


@dataclass(slots=True)
class _Charged:
    """What has been written so far."""

    by_unit: dict[Unit, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    methods: set[Methods] = field(default_factory=set)


def write_focus(answers: Answers, statement: Statement, version: Version, out: Path) -> FocusFiles:
    """Writes a month's charges as a FOCUS dataset into `out`, made if it isn't there.

    Args:
        answers: the figures that the statement was made of.
        statement: whom its charges go to.
        version: of FOCUS.
        out: the folder.

    Raises:
        Problem: the rows do not add up to the statement; nothing is written.
    """
    with drafting(out, UNFINISHED) as draft:
        written = _write(answers, statement, version, _files_in(draft, statement, version))
        for file in written.all:
            flush(file)
            file.replace(out / file.name)
        flush(out)
    return _files_in(out, statement, version)


def _files_in(folder: Path, statement: Statement, version: Version) -> FocusFiles:
    which = f"{statement.bill_to_type}-{statement.billing_period}"
    return FocusFiles(
        folder / f"focus-{version}-{which}.parquet",
        folder / f"focus-{version}-{which}.csv",
        folder / f"focus-methods-{which}.json",
    )


def _write(
    answers: Answers, statement: Statement, version: Version, files: FocusFiles
) -> FocusFiles:
    schema, charged = schema_of(version), _Charged()
    with (
        parquet.ParquetWriter(files.parquet, schema, compression="zstd") as table,
        files.csv.open("wb") as csv,
    ):
        rows = _rows(answers, statement, version, charged)
        write_csv(csv, schema.names, csv_rows(_passed_on(rows, table), schema.names))
    _check_it_ties(statement, charged.by_unit)
    files.methods.write_bytes(methods_json(statement, charged.methods))
    return files


def _rows(
    answers: Answers, statement: Statement, version: Version, charged: _Charged
) -> Iterator[Cells]:
    by, month = statement.bill_to_type, statement.billing_period
    columns = columns_asked(statement.settings, by, month)
    splitting = Splitting(parts_of(answers, statement), columns)
    maker, number = RowMaker(version, by, month), count(1)
    for batch in focus_charges(answers, statement.view, CHARGED[by].name):
        for row in batch.to_pylist():
            origin = f"{month}/{next(number)}"
            for share in splitting.shares(row):
                unit = row["currency"], share.unit
                charged.by_unit[unit] = EXACT.add(charged.by_unit[unit], share.amounts["cost"])
                if share.methods:
                    charged.methods.add(share.methods)
                yield maker.row(row, share, origin)


def _passed_on(rows: Iterator[Cells], table: parquet.ParquetWriter) -> Iterator[Cells]:
    """The same rows, written to the table as they pass."""
    passed: list[Cells] = []
    for row in rows:
        passed.append(row)
        yield row
        if len(passed) == ROWS_AT_ONCE:
            table.write_batch(pa.RecordBatch.from_pylist(passed, table.schema))
            passed.clear()
    table.write_batch(pa.RecordBatch.from_pylist(passed, table.schema))


def csv_rows(rows: Iterable[Cells], columns: Sequence[str]) -> Iterator[list[object]]:
    """The same rows as a CSV file has them, with moments as FOCUS writes them."""
    for row in rows:
        yield [_csv_cell(row.get(column)) for column in columns]


def _csv_cell(value: object) -> object:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value


def _check_it_ties(statement: Statement, by_unit: dict[Unit, Decimal]) -> None:
    """Sees that each unit's rows come to its charge before rounding, and so all to the bill."""
    charges = {unit: list(columns.values()) for unit, columns in statement.direct.items()}
    for unit, changes in statement.allocation.changes().items():
        charges.setdefault(unit, []).extend(changes.values())
    exact = {unit: total for unit, parts in charges.items() if (total := exact_sum(parts))}
    if exact != {unit: total for unit, total in by_unit.items() if total}:
        raise Problem(
            "The FOCUS file does not add up to the statement.",
            "Nothing was written.",
            "Refresh the month; if the problem remains, report it as a bug in this program.",
        )
