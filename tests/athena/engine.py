"""Runs Athena's SQL with DuckDB over the Parquet files of CUR 2.0 exports on disk."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from pyarrow import parquet
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tests.athena.external import ExternalTables

UNLOAD = re.compile(
    r"\s*UNLOAD\s*\((?P<sql>.*)\)\s*TO\s*'(?P<to>s3://[^']+/)'\s*"
    r"WITH\s*\(\s*format = 'PARQUET',\s*compression = 'SNAPPY'\s*\)\s*",
    re.DOTALL,
)
"""An UNLOAD as PyAthena writes it."""
HIDDEN = {"$path", "$file_modified_time"}
PRUNED_TO = re.compile(r"billing_period = '(\d{4}-\d{2})'", re.IGNORECASE)
READ = (
    "SELECT * FROM read_parquet({files}, union_by_name = true, hive_partitioning = true, "
    "hive_types_autocast = false{more})"
)
ATHENA_TYPES = {"TIMESTAMP WITH TIME ZONE": "timestamp with time zone", "HUGEINT": "bigint"}
"""Where Athena's name for a type is not DuckDB's in lower case."""

DATABASE = duckdb.connect()
"""What a query makes in it is its connection's own, and goes with it."""

Watch = Callable[[duckdb.DuckDBPyConnection], None]
"""Is given the connection that is about to run, so that the query can be interrupted."""


class QueryFailed(Exception):  # noqa: N818  (a state of Athena's)
    """A query that ends as FAILED: the reason is Athena's."""


@dataclass(frozen=True)
class Answer:
    """What a query comes to."""

    rows: pa.Table
    types: tuple[str, ...]
    """Athena's type of each column."""
    bytes_scanned: int
    """Compressed size of the columns read, in the files read."""
    unload_to: str | None
    """Where UNLOAD puts the rows."""


def run(
    tables: dict[str, Path],
    external: ExternalTables,
    sql: str,
    parameters: Sequence[str],
    watch: Watch,
) -> Answer:
    """Runs one statement.

    Args:
        tables: folder of a CUR 2.0 export by `database.table`.
        external: the tables that statements made.
        sql: SELECT, UNLOAD, INSERT or DDL in Athena's dialect.
        parameters: what stands for each `?`, as expressions.
        watch: see `Watch`.

    Raises:
        QueryFailed: with the words of Athena.
    """
    unload = UNLOAD.fullmatch(sql)
    tree = _parsed(with_parameters(unload["sql"] if unload else sql, parameters))
    if external.define(tree):
        return NOTHING
    select = tree.expression if isinstance(tree, exp.Insert) else tree
    into = f"{tree.this.db}.{tree.this.name}" if isinstance(tree, exp.Insert) else None
    with DATABASE.cursor() as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            scanned = _open_external(connection, external, select, sql)
            files = _open_export(connection, tables, select)
            watch(connection)
            duck = select.sql("duckdb")
            scanned += _scanned(connection, duck, files) if files else 0
            answer = connection.sql(duck)
            rows = answer.to_arrow_table()
        except duckdb.Error as error:
            raise QueryFailed(_reason(error)) from error
        if into:
            external.insert(into, rows, str(uuid.uuid4()))
            return replace(NOTHING, bytes_scanned=scanned)
        rows = rows.rename_columns([name.lower() for name in rows.column_names])
        return Answer(rows, _types(answer), scanned, unload and unload["to"])


NOTHING = Answer(pa.table({}), (), 0, None)
"""What a statement without rows comes to."""


def with_parameters(sql: str, parameters: Sequence[str]) -> str:
    """The statement that Athena runs: each `?` is the expression that its parameter says."""
    tokens = sqlglot.tokenize(sql, read="trino")
    marks = [token for token in tokens if token.token_type == sqlglot.TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        raise QueryFailed(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(marks)} but "
            f"found {len(parameters)}"
        )
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[: mark.start]}{parameter}{sql[mark.end + 1 :]}"
    return sql


def _parsed(sql: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(sql, read="athena")
    except SqlglotError as error:
        raise QueryFailed("SYNTAX_ERROR: line 1:1: mismatched input") from error


def _open_external(
    connection: duckdb.DuckDBPyConnection, external: ExternalTables, tree: exp.Expr, sql: str
) -> int:
    """Puts DuckDB's tables in the place of external ones; returns the bytes to read for them."""
    opened: dict[str, str] = {}
    for table in [table for table in tree.find_all(exp.Table) if table.db]:
        name = f"{table.db}.{table.name}"
        if name in external.tables:
            if name not in opened:
                opened[name] = f"external_{len(opened)}"
                external.open(connection, name, opened[name], sql)
            table.replace(exp.to_table(opened[name]).as_(table.alias_or_name))
    return sum(external.size(name, sql) for name in opened)


def _open_export(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, Path], tree: exp.Expr
) -> list[str]:
    """Puts views in the place of the statement's CUR table; returns the files they read."""
    if not any(table.db for table in tree.find_all(exp.Table)):
        return []
    hidden = any(column.name in HIDDEN for column in tree.find_all(exp.Column))
    names = {(t.db, t.name) for t in tree.find_all(exp.Table) if t.db}
    for table in [table for table in tree.find_all(exp.Table) if table.db]:
        table.replace(exp.to_table("hidden" if hidden else "cur").as_(table.alias_or_name))
    [(database, name)] = names
    folder = tables.get(f"{database}.{name}")
    if folder is None:
        raise QueryFailed(
            f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{database}.{name}' does not exist"
        )
    files = [str(file) for file in sorted(folder.glob("*/data/*/*.parquet"))]
    listed = exp.convert(files).sql("duckdb")
    connection.execute(f"CREATE TEMP VIEW cur AS {READ.format(files=listed, more='')}")
    if hidden:
        named = READ.format(files=listed, more=", filename = '$path'")
        connection.execute(f"CREATE TEMP VIEW named AS {named}")
        _add_modified_times(connection, files)
    return files


def _add_modified_times(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """The hidden columns of a Hive table in Trino: the time is a timestamp(3) with time zone."""
    connection.execute('CREATE TEMP TABLE times ("$path" VARCHAR, milliseconds BIGINT)')
    for file in files:
        milliseconds = Path(file).stat().st_mtime_ns // 1_000_000
        connection.execute("INSERT INTO times VALUES (?, ?)", [file, milliseconds])
    connection.execute(
        "CREATE TEMP VIEW hidden AS SELECT *, "
        'to_timestamp(milliseconds / 1000) AS "$file_modified_time" '
        'FROM named JOIN times USING ("$path")'
    )


def _scanned(connection: duckdb.DuckDBPyConnection, sql: str, files: Sequence[str]) -> int:
    """Bytes of the columns that DuckDB's plan reads, in the files that it does not prune."""
    [(_, plan)] = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()
    return sum(_bytes_of(scan["extra_info"], files) for scan in _scans(json.loads(plan)))


def _scans(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node["name"] == "READ_PARQUET":
            yield node
        yield from _scans(node["children"])


def _bytes_of(scan: dict[str, Any], files: Sequence[str]) -> int:
    read = scan.get("Projections", [])
    columns = {name.lower() for name in ([read] if isinstance(read, str) else read)}
    only = PRUNED_TO.search(str(scan.get("File Filters", "")))
    return sum(
        group.column(i).total_compressed_size
        for file in files
        if not only or f"BILLING_PERIOD={only[1]}" in file
        for group in _row_groups(file)
        for i in range(group.num_columns)
        if group.column(i).path_in_schema.split(".")[0].lower() in columns
    )


def _row_groups(file: str) -> list[Any]:
    metadata = parquet.read_metadata(file)
    return [metadata.row_group(i) for i in range(metadata.num_row_groups)]


def _types(answer: duckdb.DuckDBPyRelation) -> tuple[str, ...]:
    return tuple(ATHENA_TYPES.get(str(type_), str(type_).lower()) for type_ in answer.types)


def _reason(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.BinderException):
        return (
            "COLUMN_NOT_FOUND: line 1:8: Column cannot be resolved or requester is not authorized "
            "to access requested resources"
        )
    if isinstance(error, (duckdb.IOException, duckdb.InvalidInputException)):
        return "HIVE_BAD_DATA: Malformed Parquet file. Not a valid Parquet file"
    return f"GENERIC_INTERNAL_ERROR: {error}"
