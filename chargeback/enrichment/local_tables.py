"""The tables that reports ask, read by DuckDB: days from the store's files, months once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from threading import Lock
from typing import Any, Final, TypeVar, get_args

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyRelation
from pyarrow.parquet import read_metadata

from chargeback import database, query
from chargeback.dimensions import BY_NAME
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.fewer_rows import rows_for
from chargeback.enrichment.local import EnrichedPeriod, enrich
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Grain, Rows
from chargeback.errors import SourceProblem
from chargeback.files.holds import FolderHold
from chargeback.memory import Memory
from chargeback.store.local import LocalPeriod, LocalStore

T = TypeVar("T")

HELD: Final[tuple[Rows, ...]] = ("monthly", "monthly_principals")
IN_FILES: Final[tuple[Rows, ...]] = ("daily", "daily_callers")
DATABASE, DAYS = "held", "days"
"""In memory; the second is of its own, as it is compressed while the first is asked."""
STATEMENTS = 1000
"""How many are kept as DuckDB reads them."""
NAMES: Final = frozenset({"", *BY_NAME})
NAMED: Final = ("dimension", "attributed")
"""Parameters that are one of NAMES."""
ROWS_AS_THEY_ARE = 2_000_000
"""Monthly rows that are held as they are, at 700 bytes each. More are compressed to a tenth of it,
which takes half as long again to open, and no longer to ask."""
MONTHS_AT_ONCE = 12
"""That are in memory before they are compressed."""
MONTHS_OF_DAYS_AT_ONCE = 3
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
        for name in (DATABASE, DAYS):
            self._connection.execute(f"ATTACH ':memory:' AS {name} (COMPRESS)")
        self._statements = Memory(STATEMENTS)
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

    def hold_days(self) -> None:
        """Reads what callers cost by day into memory, unless that is much: then asking is halved.

        It takes as long as to open all else, and may be done while others ask.
        """
        rows: Rows = "daily_callers"
        table = f"{DAYS}.main.{rows}"
        # Where files are damaged, whoever asks has them made anew.
        with self._opening, suppress(duckdb.Error, OSError, pa.ArrowInvalid):
            files = self._files(rows)
            if not files or sum(read_metadata(f).num_rows for f in files) > ROWS_AS_THEY_ARE:
                return
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")
            self._fill(table, files, MONTHS_OF_DAYS_AT_ONCE, compressed=True)
            self._view(rows, self._connection.table(table))

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
        self._connection.execute(f"DROP TABLE IF EXISTS {DAYS}.main.daily_callers")
        for rows in IN_FILES:
            self._view(rows, self._connection.read_parquet(self._files(rows)))
        for rows in HELD:
            self._view(rows, self._in_memory(rows))

    def _view(self, rows: Rows, relation: DuckDBPyRelation) -> None:
        """Has statements know rows by their name."""
        if rows in get_args(Grain):
            relation.create_view(f"{rows}_rows", replace=True)
            read = query.duckdb_sql("store/kinds_of_tokens", (("enriched", f"{rows}_rows"),))
            relation = self._connection.sql(read)
        relation.create_view(rows, replace=True)

    def _files(self, rows: Rows) -> list[str]:
        return [str(period.file(rows)) for period in self._enriched.values()]

    def _in_memory(self, rows: Rows) -> DuckDBPyRelation:
        """Most of what pages ask is a sum of few rows: opening a file a month took longer."""
        files = self._files(rows)
        in_files = [file for file in files if read_metadata(file).num_rows > MOST_IN_MEMORY]
        held = [file for file in files if file not in in_files]
        parts = [self._connection.read_parquet(file) for file in in_files]
        self._connection.execute(f"DROP TABLE IF EXISTS {DATABASE}.main.{rows}")
        if held:
            parts.append(self._hold(held, f"{DATABASE}.main.{rows}"))
        return reduce(DuckDBPyRelation.union, parts)

    def _hold(self, files: Sequence[str], table: str) -> DuckDBPyRelation:
        """The rows of these files, read into memory."""
        rows = self._connection.read_parquet(files).count("*").fetchall()[0][0]
        is_much = rows > ROWS_AS_THEY_ARE
        self._fill(table, files, MONTHS_AT_ONCE if is_much else len(files), compressed=is_much)
        return self._connection.table(table)

    def _fill(self, table: str, files: Sequence[str], at_once: int, *, compressed: bool) -> None:
        """Makes a table in memory of some files at a time."""
        for first in range(0, len(files), at_once):
            some = self._connection.read_parquet(files[first : first + at_once])
            some.insert_into(table) if first else some.create(table)
            if compressed:
                self._connection.execute(f"CHECKPOINT {table.partition('.')[0]}")

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
        connection.read_parquet(self._files(grain)).create_view(grain)
        sql = query.duckdb_sql(f"reports/{name}", (("enriched", grain),))
        return connection.sql(sql, params=dict(parameters)).to_arrow_reader(10_000)

    def _execute(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> duckdb.DuckDBPyConnection:
        statement = self._statement(name, rows_for(name, grain, parameters), parameters)
        taken = {key: parameters[key] for key in statement.named_parameters}
        return self._connection.cursor().execute(statement, taken)

    def _statement(self, name: str, rows: Rows, parameters: Mapping[str, Any]) -> duckdb.Statement:
        """Read once for all parameters that ask for the same dimensions and filters."""
        known = tuple((key, value) for key, value in parameters.items() if _is_known(key, value))

        def parse() -> duckdb.Statement:
            sql = query.duckdb_sql(f"reports/{name}", (("enriched", rows),), known)
            return self._connection.cursor().extract_statements(sql)[0]

        return self._statements.of((name, rows, known), parse)


def _is_known(key: str, value: object) -> bool:
    """Whether a parameter's value can stand in the statement: of such there are few."""
    return value is None or (key in NAMED and value in NAMES)


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
