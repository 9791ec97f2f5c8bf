"""The tables that keep the spend in Athena: Parquet in S3, a partition for each version of a month.

A version is written once and never changed, so whoever reads one reads all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from sqlglot import exp

from chargeback.sources.athena.settings import AthenaSettings

KEYS = ("billing_period", "version")
"""What the tables are partitioned by, in this order."""
ADDED = ("charged_lines", "net_charged_lines", "net_repeated_lines")
"""Columns of `spend` that versions of schema version 2 lack."""
HIVE_TYPES = {
    pa.string(): "STRING",
    pa.bool_(): "BOOLEAN",
    pa.int64(): "BIGINT",
    pa.date32(): "DATE",
}


@dataclass(frozen=True)
class StoreTable:
    """One table; its name tells its columns, so that another release never meets older ones."""

    kind: str
    """The table as statements name it: 'spend', 'daily', …"""
    schema: pa.Schema
    """The columns that statements read."""
    settings: AthenaSettings
    lacks: tuple[str, ...] = ()
    """Columns that statements read and an older table does not have: NULL in all rows."""

    @cached_property
    def name(self) -> str:
        """The name in the database."""
        columns = pa.schema([field for field in self.schema if field.name not in self.lacks])
        told = f"{self.settings.store_location}\n{columns}"
        return f"chargeback_{self.kind}_{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    def folder(self, month: str, version: str) -> str:
        """Where a version lies, below the store's location: as Hive lays out partitions."""
        return f"{self.name}/billing_period={month}/version={version}/"

    def create(self) -> str:
        """The DDL of the table, which changes nothing where it is already."""
        columns = [_column(field.name, _hive_type(field.type)) for field in self._data]
        properties = [
            exp.ExternalProperty(),
            exp.PartitionedByProperty(
                this=exp.Schema(expressions=[_column(key, "STRING") for key in KEYS])
            ),
            exp.FileFormatProperty(this=exp.var("PARQUET"), hive_format=True),
            exp.LocationProperty(this=exp.Literal.string(self._at(f"{self.name}/"))),
            exp.Property(
                this=exp.Literal.string("parquet.compression"), value=exp.Literal.string("SNAPPY")
            ),
        ]
        return exp.Create(
            this=exp.Schema(this=self._table, expressions=columns),
            kind="TABLE",
            exists=True,
            properties=exp.Properties(expressions=properties),
        ).sql("athena")

    def add(self, month: str, version: str) -> str:
        """The DDL that makes files that lie in a version's folder part of the table."""
        return self._alter(
            exp.AddPartition(
                exists=True,
                this=exp.Anonymous(this="PARTITION", expressions=_equals(month, version)),
                location=exp.LocationProperty(
                    this=exp.Literal.string(self._at(self.folder(month, version)))
                ),
            )
        )

    def drop(self, month: str, version: str) -> str:
        """The DDL that takes a version out of the table."""
        partition = exp.Partition(expressions=_equals(month, version))
        return self._alter(exp.DropPartition(exists=True, expressions=[partition]))

    def insert(self, rows: exp.Expr, month: str, version: str) -> exp.Expr:
        """Writes `rows`, whose columns are the table's, as a version that is not there yet."""
        columns = [exp.column(field.name, quoted=True) for field in self._data]
        keys = [exp.Literal.string(month), exp.Literal.string(version)]
        selected = exp.select(*columns, *keys).from_(exp.Subquery(this=rows).as_("rows"))
        return exp.insert(selected, self._table)

    def rows(self, versions: Mapping[str, str]) -> exp.Subquery:
        """What stands for the table in a statement: the version of each month."""
        months = exp.column("billing_period").isin(*versions)
        version = exp.column("version").isin(*versions.values())
        columns = [self._read(field) for field in self.schema]
        return exp.select(*columns).from_(self._table).where(months, version).subquery()

    def _read(self, field: pa.Field) -> exp.Expr:
        if field.name not in self.lacks:
            return exp.column(field.name, quoted=True)
        null = exp.cast(exp.null(), _hive_type(field.type), dialect="hive")
        return exp.alias_(null, field.name, quoted=True)

    @property
    def _data(self) -> list[pa.Field]:
        """The columns that stand in the files."""
        return [field for field in self.schema if field.name not in KEYS]

    @property
    def _table(self) -> exp.Table:
        return exp.table_(self.name, db=self.settings.database, quoted=True)

    def _at(self, place: str) -> str:
        return f"{str(self.settings.store_location).rstrip('/')}/{place}"

    def _alter(self, action: exp.Expr) -> str:
        return exp.Alter(this=self._table, kind="TABLE", actions=[action]).sql("athena")


def _equals(month: str, version: str) -> list[exp.Expr]:
    return [
        exp.EQ(this=exp.column(key), expression=exp.Literal.string(value))
        for key, value in zip(KEYS, (month, version), strict=True)
    ]


def _column(name: str, type_: str) -> exp.ColumnDef:
    kind = exp.DataType.build(type_, dialect="hive")
    return exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=kind)


def _hive_type(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    return HIVE_TYPES[type_]
