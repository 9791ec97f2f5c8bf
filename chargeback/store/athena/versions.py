"""Writes, reads and drops versions of tables in Athena."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.query_schema import schema_of
from chargeback.sources.athena.parameters import bind
from chargeback.sources.athena.queries import AthenaQueries
from chargeback.sources.cur2 import result_schema
from chargeback.store.athena.catalog import StoreTable
from chargeback.store.athena.objects import StoreObjects

NO_OTHERS: Mapping[str, pa.Schema] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Versions:
    """Every method raises SourceProblem when Athena or S3 can't be asked."""

    queries: AthenaQueries
    objects: StoreObjects

    def create(self, *tables: StoreTable) -> None:
        """Makes the tables that are not there yet."""
        with self.queries.connected() as connection:
            for table in tables:
                self.queries.done(connection, table.create())

    def insert(
        self,
        table: StoreTable,
        rows: exp.Expr,
        parameters: Mapping[str, Any],
        month: str,
        version: str,
    ) -> None:
        """Writes the rows of a statement as a version of a table."""
        with self.queries.connected() as connection:
            statement = table.insert(rows, month, version)
            self.queries.done(connection, *bind(statement, parameters))

    def upload(self, table: StoreTable, rows: pa.Table, month: str, version: str) -> None:
        """Writes rows of this machine as a version of a table."""
        file = io.BytesIO()
        parquet.write_table(rows, file, compression="snappy", store_schema=False)
        self.objects.put(f"{table.folder(month, version)}rows.parquet", file.getvalue())
        with self.queries.connected() as connection:
            self.queries.done(connection, table.add(month, version))

    def download(
        self,
        name: str,
        parameters: Mapping[str, Any],
        schemas: Mapping[str, pa.Schema] = NO_OTHERS,
        **relations: exp.Subquery,
    ) -> pa.Table:
        """The rows of a statement of queries/store over versions of tables, in no order.

        Args:
            name: of the statement.
            parameters: of it.
            schemas: of the relations that are no facts.
            relations: what it reads.
        """
        statement = query.load(name)
        for relation, rows in relations.items():
            statement = query.with_table(statement, relation, rows)
        facts = dict.fromkeys(relations, result_schema("daily_spend"))
        schema = schema_of(name, {**facts, **schemas})
        with tempfile.TemporaryDirectory() as folder, self.queries.connected() as connection:
            out = Path(folder) / "rows.parquet"
            self.queries.unload(connection, *bind(statement, parameters), schema, out)
            return parquet.read_table(out)

    def copy(self, rows: exp.Subquery, schema: pa.Schema, file: Path) -> None:
        """Writes a version of a table, in no order, into a Parquet file on this machine."""
        with self.queries.connected() as connection:
            self.queries.unload(connection, *bind(rows.this, {}), schema, file)

    def drop(self, month: str, version: str, *tables: StoreTable) -> None:
        """Deletes a version of tables. What can't be deleted now costs storage and no figure."""
        for table in tables:
            with suppress(SourceProblem), self.queries.connected() as connection:
                self.queries.done(connection, table.drop(month, version))
                self.objects.delete(table.folder(month, version))
