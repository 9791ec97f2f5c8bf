"""Athena's external tables: Parquet files in S3, known by partition."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from tests.athena import objects


@dataclass
class ExternalTable:
    """One table as its DDL says."""

    columns: dict[str, str]
    """DuckDB's type of each column in the files."""
    keys: list[str]
    location: str
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Location by the values of the keys."""


class ExternalTables:
    """The tables of all databases; rows are read from S3, and written there."""

    def __init__(self) -> None:
        self.tables: dict[str, ExternalTable] = {}

    def define(self, tree: exp.Expr) -> bool:
        """Does what a DDL says; False if it is none."""
        if isinstance(tree, exp.Create):
            self.tables.setdefault(_name(tree.this.this), _table(tree))
        elif isinstance(tree, exp.Alter):
            self._alter(self.tables[_name(tree.this)], tree.args["actions"][0])
        else:
            return False
        return True

    def _alter(self, table: ExternalTable, action: exp.Expr) -> None:
        values = tuple(equal.expression.this for equal in action.find_all(exp.EQ))
        if isinstance(action, exp.DropPartition):
            table.partitions.pop(values, None)
        else:
            table.partitions.setdefault(values, action.args["location"].this.this)

    def insert(self, name: str, rows: pa.Table, file: str) -> None:
        """Adds rows, whose last columns are the keys of the one partition that they belong to."""
        table = self.tables[name]
        data = rows.select(range(len(table.columns))).rename_columns(list(table.columns))
        keys = rows.select(range(len(table.columns), rows.num_columns)).to_pylist()
        found = {tuple(row.values()) for row in keys}
        assert all(len(values) == len(table.keys) for values in found)
        for values in found:
            folder = "/".join(f"{k}={v}" for k, v in zip(table.keys, values, strict=True))
            place = table.partitions.setdefault(values, f"{table.location}{folder}/")
            body = io.BytesIO()
            parquet.write_table(data, body, compression="snappy", store_schema=False)
            objects.put(f"{place}{file}", body.getvalue())
        assert len(found) <= 1

    def open(self, connection: duckdb.DuckDBPyConnection, name: str, as_: str, sql: str) -> None:
        """Makes a DuckDB table of the partitions whose keys a statement names."""
        table = self.tables[name]
        columns = table.columns | dict.fromkeys(table.keys, "VARCHAR")
        kinds = ", ".join(f'"{column}" {type_}' for column, type_ in columns.items())
        connection.execute(f"CREATE TEMP TABLE {as_} ({kinds})")
        for values, location in self._named(name, sql):
            literals = ", ".join(str(exp.convert(value).sql("duckdb")) for value in values)
            for place, _ in objects.sizes(location):
                rows = parquet.read_table(io.BytesIO(objects.content(place)))  # noqa: F841
                connection.execute(f"INSERT INTO {as_} SELECT *, {literals} FROM rows")  # noqa: S608

    def size(self, name: str, sql: str) -> int:
        """Bytes of the partitions whose keys a statement names."""
        return sum(
            size for _, location in self._named(name, sql) for _, size in objects.sizes(location)
        )

    def _named(self, name: str, sql: str) -> list[tuple[tuple[str, ...], str]]:
        # A copy, since others add to them meanwhile.
        partitions = list(self.tables[name].partitions.items())
        return [found for found in partitions if all(f"'{value}'" in sql for value in found[0])]


def _table(tree: exp.Create) -> ExternalTable:
    [partitioned] = tree.find_all(exp.PartitionedByProperty)
    [location] = tree.find_all(exp.LocationProperty)
    return ExternalTable(
        columns={column.name: column.kind.sql("duckdb") for column in tree.this.expressions},
        keys=[column.name for column in partitioned.this.expressions],
        location=location.this.this,
    )


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}"
