"""Athena's external tables: Parquet files in S3, known by partition."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp


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

    def __init__(self, s3: Any) -> None:  # noqa: ANN401  (boto3 makes its classes while it runs)
        self._s3 = s3
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
            self._s3.put_object(**_object(f"{place}{file}"), Body=body.getvalue())
        assert len(found) <= 1

    def open(self, connection: duckdb.DuckDBPyConnection, name: str, as_: str, sql: str) -> None:
        """Makes a DuckDB table of the partitions whose keys a statement names."""
        table = self.tables[name]
        columns = table.columns | dict.fromkeys(table.keys, "VARCHAR")
        kinds = ", ".join(f'"{column}" {type_}' for column, type_ in columns.items())
        connection.execute(f"CREATE TABLE {as_} ({kinds})")
        for values, location in self._named(name, sql):
            literals = ", ".join(str(exp.convert(value).sql("duckdb")) for value in values)
            with TemporaryDirectory() as folder:
                for file in self._fetched(location, Path(folder)):
                    connection.execute(
                        f"INSERT INTO {as_} SELECT *, {literals} FROM read_parquet('{file}')"  # noqa: S608
                    )

    def size(self, name: str, sql: str) -> int:
        """Bytes of the partitions whose keys a statement names."""
        return sum(
            item["Size"]
            for _, location in self._named(name, sql)
            for item in self._listed(location)
        )

    def _named(self, name: str, sql: str) -> list[tuple[tuple[str, ...], str]]:
        # A copy, since others add to them meanwhile.
        partitions = list(self.tables[name].partitions.items())
        return [found for found in partitions if all(f"'{value}'" in sql for value in found[0])]

    def _fetched(self, location: str, folder: Path) -> Iterator[Path]:
        bucket = _object(location)["Bucket"]
        for number, item in enumerate(self._listed(location)):
            file = folder / f"{number}.parquet"
            file.write_bytes(self._s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
            yield file

    def _listed(self, location: str) -> list[dict[str, Any]]:
        place = _object(location)
        answer = self._s3.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"])
        found: list[dict[str, Any]] = answer.get("Contents", [])
        return found


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


def _object(place: str) -> dict[str, str]:
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}
