"""The tables that reports ask, read by DuckDB: `daily` from the store's files, `monthly` once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from chargeback import query
from chargeback.spend.meaning import Rules, meaning_of
from chargeback.spend.tables import Grain

if TYPE_CHECKING:
    from chargeback.spend.store import StoredPeriod

# Which is what is wanted: the other way would plan each statement twice.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)


class LocalTables:
    """One state of the spend store under one set of rules. Safe to share between threads."""

    def __init__(self, periods: Sequence[StoredPeriod], rules: Rules) -> None:
        self._connection = duckdb.connect()
        meanings = [meaning_of(period, rules) for period in periods]
        if meanings:
            daily = [str(meaning.daily) for meaning in meanings]
            self._connection.read_parquet(daily).create_view("daily")
            # Most of what pages ask is a sum of few rows: opening a file a month took longer.
            monthly = [str(meaning.monthly) for meaning in meanings]
            self._connection.read_parquet(monthly).create("monthly")

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of queries/reports/<name>.sql."""
        return self._execute(name, grain, parameters).to_arrow_table()

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold."""
        return self._execute(name, grain, parameters).to_arrow_reader(10_000)

    def _execute(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> duckdb.DuckDBPyConnection:
        sql = query.duckdb_sql(f"reports/{name}", (("spend", grain),))
        return self._connection.cursor().execute(sql, dict(parameters))
