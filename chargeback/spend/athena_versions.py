"""Writes, reads and drops versions of the store's tables in Athena."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.sources.athena import AthenaTable
from chargeback.sources.athena_parameters import bound
from chargeback.sources.athena_queries import AthenaQueries
from chargeback.sources.cur2 import Extract
from chargeback.spend.athena_catalog import StoreTable
from chargeback.spend.athena_objects import StoreObjects
from chargeback.spend.shapes import shape_of


@dataclass(frozen=True, slots=True)
class Versions:
    """Every method raises SourceProblem when Athena or S3 can't be asked."""

    queries: AthenaQueries
    objects: StoreObjects
    tables: Mapping[str, StoreTable]

    def create(self, kinds: Iterable[str]) -> None:
        """Makes the tables that are not there yet."""
        with self.queries.connected() as connection:
            for kind in kinds:
                self.queries.done(connection, self.tables[kind].create())

    def extract(self, source: AthenaTable, month: str, version: str, stop: Event) -> Extract:
        """Writes what a CUR 2.0 table holds of a month as a version of `spend`."""
        spend = self.tables["spend"]
        return source.insert(month, lambda rows: spend.insert(rows, month, version), stop)

    def insert(
        self, kind: str, rows: exp.Expr, parameters: Mapping[str, Any], month: str, version: str
    ) -> None:
        """Writes the rows of a statement as a version of a table."""
        statement = self.tables[kind].insert(rows, month, version)
        with self.queries.connected() as connection:
            self.queries.done(connection, *bound(statement, parameters))

    def upload(self, kind: str, rows: pa.Table, month: str, version: str) -> None:
        """Writes rows of this machine as a version of a table."""
        file = io.BytesIO()
        parquet.write_table(rows, file, compression="snappy", store_schema=False)
        table = self.tables[kind]
        self.objects.put(f"{table.folder(month, version)}rows.parquet", file.getvalue())
        with self.queries.connected() as connection:
            self.queries.done(connection, table.add(month, version))

    def download(self, name: str, month: str, version: str) -> pa.Table:
        """The rows of a statement of queries/spend over a version of `spend`, in no order."""
        statement = query.with_table(
            query.load(name), "spend", self.tables["spend"].rows({month: version})
        )
        with tempfile.TemporaryDirectory() as folder, self.queries.connected() as connection:
            out = Path(folder) / "rows.parquet"
            self.queries.unload(connection, *bound(statement, {}), shape_of(name), out)
            return parquet.read_table(out)

    def drop(self, kinds: Iterable[str], month: str, version: str) -> None:
        """Deletes versions of tables. What can't be deleted now costs storage and no figure."""
        for table in (self.tables[kind] for kind in kinds):
            with suppress(SourceProblem), self.queries.connected() as connection:
                self.queries.done(connection, table.drop(month, version))
                self.objects.delete(table.folder(month, version))
