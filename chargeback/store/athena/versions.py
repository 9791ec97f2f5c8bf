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
from chargeback.enrichment.schemas import shape_of
from chargeback.errors import SourceProblem
from chargeback.sources.athena.parameters import bound
from chargeback.sources.athena.queries import AthenaQueries
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.base import Extract
from chargeback.store.athena.catalog import StoreTable
from chargeback.store.athena.objects import StoreObjects
from chargeback.store.manifest import Reading

OLDER = 2
"""The newest schema version whose facts lie in a table of their own."""


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

    def extract(self, reading: Reading, source: AthenaTable, version: str, stop: Event) -> Extract:
        """Writes what a CUR 2.0 table holds of a month as a version of `spend`."""
        spend, month = self.tables["spend"], reading.period.billing_period
        return source.insert(
            month, lambda rows: spend.insert(rows, month, version), reading.known, stop
        )

    def spend(self, schema_version: int) -> StoreTable:
        """The table that holds the facts of a schema version."""
        return self.tables["spend" if schema_version > OLDER else "spend 2"]

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

    def download(
        self, name: str, parameters: Mapping[str, Any], **relations: exp.Subquery
    ) -> pa.Table:
        """The rows of a statement of queries/spend over versions of tables, in no order."""
        statement = query.load(name)
        for relation, rows in relations.items():
            statement = query.with_table(statement, relation, rows)
        with tempfile.TemporaryDirectory() as folder, self.queries.connected() as connection:
            out = Path(folder) / "rows.parquet"
            self.queries.unload(connection, *bound(statement, parameters), shape_of(name), out)
            return parquet.read_table(out)

    def drop(self, kinds: Iterable[str], month: str, version: str) -> None:
        """Deletes versions of tables. What can't be deleted now costs storage and no figure."""
        for table in (self.tables[kind] for kind in kinds):
            with suppress(SourceProblem), self.queries.connected() as connection:
                self.queries.done(connection, table.drop(month, version))
                self.objects.delete(table.folder(month, version))
