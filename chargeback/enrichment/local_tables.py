"""The tables that reports ask, read by DuckDB: `daily` from the store's files, `monthly` once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from threading import Lock
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyRelation
from pyarrow.parquet import read_metadata

from chargeback import database, query
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.local import EnrichedPeriod, enrich
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Grain
from chargeback.errors import SourceProblem
from chargeback.files.holds import FolderHold
from chargeback.store.local import LocalPeriod, LocalStore

T = TypeVar("T")

HELD = "held.main.monthly"
ROWS_AS_THEY_ARE = 2_000_000
"""Monthly rows that are held as they are, at 700 bytes each. More are compressed to a tenth of it,
which takes half as long again to open, and no longer to ask."""
MONTHS_AT_ONCE = 12
"""That are in memory before they are compressed."""
MOST_IN_MEMORY = 1_000_000
"""Monthly rows of a billing period; one with millions of sessions would take gigabytes."""
STREAMING_MEMORY = "250MB"
"""For a month of 700,000 rows to be sorted in: twice as much saves a tenth of the time."""

# Which is what is wanted: the other way would plan each statement twice.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)


class LocalTables:
    """One state of the spend store under one set of rules. Safe to share between threads.

    The files that it reads are not deleted while it is used. A month that can't be worked out is
    missing, and `problems` says why; all others are there.
    """

    def __init__(self, store: LocalStore, periods: Sequence[LocalPeriod], rules: Rules) -> None:
        self._periods, self._rules = periods, rules
        self._connection = database.connect()
        self._connection.execute("ATTACH ':memory:' AS held (COMPRESS)")
        self._opening = Lock()
        self._holds = [store.hold(period) for period in periods]
        self._enriched: dict[str, EnrichedPeriod] = {}
        self.problems: dict[str, SourceProblem] = {}
        self._open()

    @property
    def bills(self) -> dict[str, Bill]:
        """What each billing period comes to."""
        return {month: period.bill for month, period in self._enriched.items()}

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of queries/reports/<name>.sql. Raises SourceProblem."""
        return self._twice(lambda: self._execute(name, grain, parameters).to_arrow_table())

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold. Raises SourceProblem.

        What is sent on can't be taken back: the files are looked at first.
        """
        period = self._enriched.get(str(parameters.get("month")))
        if period and not period.is_whole():
            self._open()
        return self._twice(lambda: self._stream(name, grain, parameters))

    def _open(self) -> None:
        """Opens every period; what is damaged is made anew."""
        with self._opening:
            self.problems, self._enriched = {}, {}
            for period in self._periods:
                month = period.manifest.billing_period
                try:
                    self._enriched[month] = enrich(period, self._rules)
                except SourceProblem as problem:
                    self.problems[month] = problem
            self._holds += [FolderHold(period.folder) for period in self._enriched.values()]
            self._read_files()

    def _read_files(self) -> None:
        if not self._enriched:
            return
        daily = [str(period.daily) for period in self._enriched.values()]
        self._connection.read_parquet(daily).create_view("daily", replace=True)
        # Most of what pages ask is a sum of few rows: opening a file a month took longer.
        monthly = [str(period.monthly) for period in self._enriched.values()]
        in_files = [file for file in monthly if read_metadata(file).num_rows > MOST_IN_MEMORY]
        held = [file for file in monthly if file not in in_files]
        rows = [self._connection.read_parquet(file) for file in in_files]
        self._connection.execute(f"DROP TABLE IF EXISTS {HELD}")
        if held:
            rows.append(self._hold(held))
        reduce(DuckDBPyRelation.union, rows).create_view("monthly", replace=True)

    def _hold(self, monthly: Sequence[str]) -> DuckDBPyRelation:
        """The monthly rows of these files, read into memory."""
        rows = self._connection.read_parquet(monthly).count("*").fetchall()[0][0]
        at_once = len(monthly) if rows <= ROWS_AS_THEY_ARE else MONTHS_AT_ONCE
        for first in range(0, len(monthly), at_once):
            some = self._connection.read_parquet(monthly[first : first + at_once])
            some.insert_into(HELD) if first else some.create(HELD)
            if rows > ROWS_AS_THEY_ARE:
                self._connection.execute("CHECKPOINT held")  # which compresses them
        return self._connection.table(HELD)

    def _twice(self, ask: Callable[[], T]) -> T:
        """An answer; where files were damaged since they were opened, from files made anew."""
        try:
            return ask()
        except duckdb.OutOfMemoryException as error:
            raise _unanswered(error) from error
        except duckdb.Error:
            self._open()
        try:
            return ask()
        except duckdb.Error as error:
            raise _unanswered(error) from error

    def _stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """From the files, on a connection of its own: what all rows are sorted in is on disk."""
        connection = database.connect()
        connection.execute(f"SET memory_limit = '{STREAMING_MEMORY}'")
        files = [str(getattr(period, grain)) for period in self._enriched.values()]
        connection.read_parquet(files).create_view(grain)
        sql = query.duckdb_sql(f"reports/{name}", (("enriched", grain),))
        return connection.sql(sql, params=dict(parameters)).to_arrow_reader(10_000)

    def _execute(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> duckdb.DuckDBPyConnection:
        sql = query.duckdb_sql(f"reports/{name}", (("enriched", grain),))
        return self._connection.cursor().execute(sql, dict(parameters))


def _unanswered(error: duckdb.Error) -> SourceProblem:
    if isinstance(error, duckdb.OutOfMemoryException):
        return SourceProblem(
            "This machine has too little memory to answer this.",
            "The figures themselves are not affected.",
            "Give it more memory, or narrow what is asked.",
        )
    return SourceProblem(
        "Files of the spend store can't be read any more: they have been changed or removed.",
        "This figure can't be shown; no other is affected.",
        "Refresh, then open the page again: damaged files are rebuilt.",
    )
