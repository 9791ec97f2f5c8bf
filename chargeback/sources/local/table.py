"""Parquet files of one billing period as one table with the columns of CUR 2.0."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.notices import Notice
from chargeback.sources.cur2 import (
    COLUMN_TYPES,
    check_columns,
    fit,
    missing_columns,
    nested_keys,
)
from chargeback.sources.local.columns import (
    NUMBERS,
    columns_of,
    differs,
    is_ready,
    one_type_sql,
    unreadable_sql,
)
from chargeback.sources.local.delivery import STAYS

Connection = duckdb.DuckDBPyConnection
PAYER = "bill_payer_account_id"


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one export, and which of its lines count."""

    export: str
    paths: tuple[Path, ...]
    without_payers: frozenset[str] = frozenset()
    """Payer accounts whose lines another export brings."""


class Table:
    """Files as the table `cur` of a connection.

    Raises:
        SourceProblem: a file can't be opened, or lacks a column without which there is no bill.
        duckdb.Error: a file is no Parquet.
    """

    def __init__(self, connection: Connection, files: Iterable[Files], billing_period: str) -> None:
        self.connection, self.billing_period = connection, billing_period
        self.files = tuple(files)
        same = [part for each in self.files for part in _of_same_types(each, billing_period)]
        self._parts = [_Part(connection, part) for part in same]
        there = {column for part in self._parts for column in part.columns}
        self._read = [column for column in COLUMN_TYPES if column in there]
        self.columns = [*self._read, "billing_period"]
        self._whole: dict[frozenset[str], duckdb.DuckDBPyRelation] = {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What can't be told, for all or a part of the files."""
        found: list[Notice] = []
        for part in self._parts:
            found += [each for each in missing_columns(part.names) if each not in found]
        return tuple(found)

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [path for files in self.files for path in files.paths]

    def doubtful(self, columns: Collection[str]) -> list[str]:
        """Of these columns those that may hold what can't be read."""
        return [
            column
            for column in columns
            if any(
                not is_ready(column, part.types[column])
                for part in self._parts
                if column in part.types
            )
        ]

    def run(self, statement: exp.Expr, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a fitted statement; `billing_period` is given to it."""
        rows: list[dict[str, Any]] = (
            self.relation(statement, parameters).to_arrow_table().to_pylist()
        )
        return rows

    def relation(
        self,
        statement: exp.Expr,
        parameters: Mapping[str, object],
        doubtful: Collection[str] = (),
    ) -> duckdb.DuckDBPyRelation:
        """The same, not yet run; with what can't be read of doubtful columns in columns beside."""
        self.create_view(doubtful)
        given = self.parameters(statement, parameters)
        return self.connection.sql(rendered(statement), params=given)

    def parameters(self, statement: exp.Expr, given: Mapping[str, object]) -> dict[str, object]:
        """Those that the statement takes."""
        offered = {**given, "billing_period": self.billing_period}
        return {name: offered[name] for name in query.parameters(statement)}

    def fit(self, name: str) -> exp.Expr:
        """A statement of queries/cur for this table. Treat it as immutable."""
        return _fitted(name, tuple(self.columns))

    def create_view(self, doubtful: Collection[str] = ()) -> None:
        """Makes the files `cur`; with what can't be read of doubtful columns beside them."""
        wanted = frozenset(doubtful)
        if wanted not in self._whole:
            self._whole[wanted] = self._as_one(sorted(wanted))
        self._whole[wanted].create_view("cur", replace=True)

    def _as_one(self, doubtful: Collection[str]) -> duckdb.DuckDBPyRelation:
        types = {c: [part.types[c] for part in self._parts if c in part.types] for c in NUMBERS}
        as_text = {column for column, given in types.items() if given and differs(given)}
        relations = [part.relation(self._read, as_text, doubtful) for part in self._parts]
        whole = reduce(duckdb.DuckDBPyRelation.union, relations)
        month = duckdb.ConstantExpression(self.billing_period).alias("billing_period")
        return whole.select(duckdb.StarExpression(), month)


class _Part:
    """Files whose columns have the same types."""

    def __init__(self, connection: Connection, files: Files) -> None:
        self._files = files
        # The partition says the month; other folders named KEY=VALUE are nobody's columns. Texts
        # that older tools did not mark as such are texts all the same.
        self._given = connection.read_parquet(
            [str(path) for path in files.paths],
            union_by_name=True,
            hive_partitioning=False,
            binary_as_string=True,
        )
        self.names = self._given.columns
        check_columns(self.names)
        self._nested = nested_keys(self.names)
        pairs = zip(self.names, self._given.types, strict=True)
        self._own = {name.lower(): (name, type_) for name, type_ in pairs}

    @property
    def columns(self) -> set[str]:
        """What statements can read of them."""
        return {*self._own, *self._nested}

    @property
    def types(self) -> dict[str, DuckDBPyType]:
        """The types of their columns."""
        return {column: type_ for column, (_, type_) in self._own.items()}

    def relation(
        self, columns: Sequence[str], as_text: Collection[str], doubtful: Collection[str]
    ) -> duckdb.DuckDBPyRelation:
        """These columns in their one type; NULL for those that the files lack."""
        made = {column: self._made(column, column in as_text) for column in columns}
        made |= {f"unreadable_{column}": self._unreadable(column) for column in doubtful}
        expressions = [duckdb.SQLExpression(each).alias(column) for column, each in made.items()]
        relation = self._given.select(*expressions)
        return relation.filter(self._counts()) if self._files.without_payers else relation

    def _made(self, column: str, as_text: bool) -> str:
        if column in self._own:
            name, type_ = self._own[column]
            return one_type_sql(column, name, type_, as_text)
        if column in self._nested:
            return query.render(query.map_of(columns_of(self._nested[column])), "duckdb")
        return "NULL"

    def _unreadable(self, column: str) -> str:
        if column not in self._own:
            return "CAST(NULL AS VARCHAR)"
        return unreadable_sql(column, *self._own[column])

    def _counts(self) -> duckdb.Expression:
        payer = duckdb.CoalesceOperator(
            duckdb.ColumnExpression(PAYER), duckdb.ConstantExpression("")
        )
        others = sorted(self._files.without_payers)
        return payer.isnotin(*map(duckdb.ConstantExpression, others))


@lru_cache(maxsize=64)
def _fitted(name: str, columns: tuple[str, ...]) -> exp.Expr:
    return fit(name, columns)


@lru_cache(maxsize=64)
def rendered(statement: exp.Expr) -> str:
    """DuckDB's SQL of a fitted statement: months of a bill mostly have the same columns."""
    return query.render(statement, "duckdb")


def _of_same_types(files: Files, billing_period: str) -> Iterator[Files]:
    found: dict[tuple[tuple[str, str], ...], list[Path]] = defaultdict(list)
    for path in files.paths:
        found[_types_in(path, billing_period)].append(path)
    for paths in found.values():
        yield Files(files.export, tuple(paths), files.without_payers)


def _types_in(path: Path, billing_period: str) -> tuple[tuple[str, str], ...]:
    """Names and types of a file's columns, from its end."""
    try:
        schema = parquet.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable_file(path, billing_period, error) from error
    return tuple(sorted((field.name, str(field.type)) for field in schema))


def unreadable_file(path: Path, billing_period: str, error: Exception) -> SourceProblem:
    """A file that can't be opened, or is no Parquet."""
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else ""  # Arrow's own words hold the path
    why = f": {reason}" if reason else ""
    return SourceProblem(
        f"Files of billing period {billing_period} can't be read ({path.name}{why}).",
        STAYS,
        "Copy the files from the export again: they may be incomplete or not Parquet."
        if not reason
        else "Check the permissions of the files, and whether they are there.",
    )
