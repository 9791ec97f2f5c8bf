"""The tables that reports ask, read by DuckDB: `daily` from the store's files, `monthly` once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.files import Hold
from chargeback.spend.bill import Bill
from chargeback.spend.meaning import Meaning, Rules, meaning_of
from chargeback.spend.tables import Grain

if TYPE_CHECKING:
    from chargeback.spend.local_store import StoredPeriod

# Which is what is wanted: the other way would plan each statement twice.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)


class LocalTables:
    """One state of the spend store under one set of rules. Safe to share between threads.

    The files that it reads are not deleted while it is used. A month whose meaning can't be worked
    out is missing, and `problems` says why; all others are there.
    """

    def __init__(self, periods: Sequence[StoredPeriod], rules: Rules) -> None:
        self._connection = duckdb.connect()
        self._holds: list[Hold] = []
        self.problems: dict[str, SourceProblem] = {}
        meanings: dict[str, Meaning] = {}
        for period in periods:
            self._holds.append(Hold(period.folder))
            try:
                meaning = meaning_of(period, rules)
            except SourceProblem as problem:
                self.problems[period.manifest.billing_period] = problem
                continue
            self._holds.append(Hold(meaning.folder))
            meanings[period.manifest.billing_period] = meaning
        self.bills: dict[str, Bill] = {month: found.bill for month, found in meanings.items()}
        if meanings:
            daily = [str(meaning.daily) for meaning in meanings.values()]
            self._connection.read_parquet(daily).create_view("daily")
            # Most of what pages ask is a sum of few rows: opening a file a month took longer.
            monthly = [str(meaning.monthly) for meaning in meanings.values()]
            self._connection.read_parquet(monthly).create("monthly")

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of queries/reports/<name>.sql. Raises SourceProblem."""
        try:
            return self._execute(name, grain, parameters).to_arrow_table()
        except duckdb.Error as error:
            raise _unanswered(error) from error

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold. Raises SourceProblem."""
        try:
            return self._execute(name, grain, parameters).to_arrow_reader(10_000)
        except duckdb.Error as error:
            raise _unanswered(error) from error

    def _execute(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> duckdb.DuckDBPyConnection:
        sql = query.duckdb_sql(f"reports/{name}", (("spend", grain),))
        return self._connection.cursor().execute(sql, dict(parameters))


def _unanswered(error: duckdb.Error) -> SourceProblem:
    if isinstance(error, duckdb.OutOfMemoryException):
        return SourceProblem(
            "This machine has too little memory to answer this.",
            "The figures themselves are not affected.",
            "Give it more memory, or narrow what is asked.",
        )
    return SourceProblem(
        "Files of the spend store can't be read any more: they were changed or removed meanwhile.",
        "This figure can't be shown; no other is affected.",
        "Refresh, and open the page again: what is damaged is made anew.",
    )
