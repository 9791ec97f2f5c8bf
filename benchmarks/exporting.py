"""Writing a month's files: the lines behind five million CUR lines, and a workbook with its lines.

    python -m benchmarks --only exporting

DuckDB's own `COPY` of the same rows stands beside the first: it quotes what has to be quoted, and
neither keeps text from running as a formula nor takes a digest.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median

import duckdb

from benchmarks import stores
from benchmarks.measure import Row, measured
from benchmarks.reading import MONTH, bill
from chargeback import query
from chargeback.access.rows import EVERYTHING
from chargeback.enrichment.local import enrich
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.statement.build import Statement, build_statement
from chargeback.statement.export import write_export
from chargeback.statement.with_detail import write_with_detail
from chargeback.workspace import Workspace

MILLIONS, ROUNDS = 5, 3
MOST_TIMES_DUCKDB, MOST_GIB, ZIP_SECONDS = 1.5, 0.6, 3
TODAY, DEMO_MONTH = date(2026, 12, 1), "2026-10"


def rows(folder: Path) -> Iterator[Row]:
    """The lines of the table about files."""
    cur = measured(bill, folder, MILLIONS).answer
    store, out = folder / f"store-{MILLIONS}", folder / "exported"
    measured(_prepare, cur, store)
    pairs = [
        (measured(by_export, cur, store, out), measured(by_copy, cur, store, out))
        for _ in range(ROUNDS)
    ]
    ratio = median(ours.seconds / bare.seconds for ours, bare in pairs)
    peak = max(ours.peak_gib for ours, _ in pairs)
    seconds, beside = (median(run.seconds for run in runs) for runs in zip(*pairs, strict=True))
    yield Row(
        what=f"export of a month of {MILLIONS} million lines",
        took=f"{seconds:.1f} s, {peak:.2f} GiB",
        baseline=f"DuckDB's COPY of its {pairs[0][1].answer:,} rows {beside:.1f} s",
        ratio=ratio,
        aim=f"{MOST_TIMES_DUCKDB} ×, under {MOST_GIB} GiB",
        is_met=ratio <= MOST_TIMES_DUCKDB and peak < MOST_GIB,
    )
    measured(stores.demo, folder)
    archive = measured(by_archive, folder)
    yield Row(
        what=f"workbook with its detail, {archive.answer:,} rows, as a ZIP",
        took=f"{archive.seconds:.1f} s",
        baseline="",
        ratio=None,
        aim=f"under {ZIP_SECONDS} s",
        is_met=archive.seconds < ZIP_SECONDS,
    )


def by_export(cur: Path, store: Path, out: Path) -> None:
    """All files of the month, from a store that was read."""
    workspace = Workspace(Settings(cur=cur, store=store, athena=None))
    write_export(*_statement(workspace, MONTH), out)


def by_copy(cur: Path, store: Path, out: Path) -> int:
    """The rows of the detail alone, as DuckDB writes them; how many there are."""
    workspace = Workspace(Settings(cur=cur, store=store, athena=None))
    (stored,) = workspace.store.periods(workspace.source.source_id)
    takes = query.parameters(query.load("reports/detail"))
    view = View.of_month(MONTH, EVERYTHING).parameters()
    with duckdb.connect() as connection:
        connection.read_parquet(str(enrich(stored, workspace.rules).daily)).create_view("daily")
        sql = query.duckdb_sql("reports/detail", (("enriched", "daily"),))
        given = {name: value for name, value in view.items() if name in takes}
        copy = f"COPY ({sql}) TO '{out / 'copied.csv'}' (FORMAT csv, HEADER)"
        ((count,),) = connection.execute(copy, given).fetchall()
    return int(count)


def by_archive(folder: Path) -> int:
    """The workbook of a demo month with its lines; how many these are."""
    workspace = stores.demo(folder)
    answers, statement = _statement(workspace, DEMO_MONTH)
    write_with_detail(answers, statement, io.BytesIO())
    return answers.manifest(DEMO_MONTH).rows_kept


def _prepare(cur: Path, store: Path) -> None:
    workspace = Workspace(Settings(cur=cur, store=store, athena=None))
    workspace.refresh()
    workspace.answers()


def _statement(workspace: Workspace, month: str) -> tuple[Answers, Statement]:
    answers, view = workspace.answers(), View.of_month(month, EVERYTHING)
    return answers, build_statement(answers, view, "tenant", TODAY, workspace.allocation)
