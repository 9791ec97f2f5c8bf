"""What can't be read on a bill: notices of what a line can do without, problems of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from chargeback.errors import SourceProblem
from chargeback.notices import Notice, notice
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.cur2 import COLUMN_TYPES
from chargeback.sources.local.columns import MAPS, NUMBERS
from chargeback.sources.local.delivery import STAYS
from chargeback.sources.local.table import Connection, Files, Table, unreadable_file
from chargeback.sources.products import sorted_products

USAGE_DATE = "line_item_usage_start_date"
MOST_LETTERS = 40
COST = "TRY_CAST(CAST(line_item_unblended_cost AS VARCHAR) AS DECIMAL(38, 12))"


def left_blank(table: Table, out: Path, products: Sequence[str]) -> Iterator[Notice]:
    """Notices of maps and dates without which lines count.

    Args:
        table: what was read.
        out: the daily spend that was made of it: it shows whether a date is absent, so that a bill
            whose columns are as AWS writes them isn't read again.
        products: the parameter of the statements.
    """
    columns = table.doubtful(MAPS)
    if _lacks_dates(table.connection, out):
        columns.append(USAGE_DATE)
    for column in _with_faults(table, columns, products):
        code = "dates-unreadable" if column == USAGE_DATE else "tags-unreadable"
        for row in _unreadable(table, column, products):
            yield notice(
                code,
                lines=row["line_count"],
                amount=row["cost"],
                currency=row["currency"],
                column=column,
                value=printable(row["value"]),
            )


def as_problem(
    error: duckdb.Error,
    connection: Connection,
    files: Sequence[Files],
    month: str,
    known: StoreKnowledge,
) -> SourceProblem:
    """Why reading failed, found in one file after the other: the first that can't be read.

    Args:
        error: what DuckDB said, which names neither line nor column.
        connection: one that is good for nothing but this.
        files: what was to be read.
        month: the billing period.
        known: as it was to be read with.
    """
    for each in files:
        for path in each.paths:
            single = Files(each.export, (path,), each.without_payers)
            problem = _problem_of(connection, single, month, known)
            if problem is not None:
                return problem
    return SourceProblem(
        f"Files of billing period {month} can't be read{_by_size(error)}.",
        STAYS,
        "Copy the files from the export again: they may be incomplete or not Parquet.",
    )


def exhausted(month: str) -> SourceProblem:
    """There is too little memory, whatever the files are."""
    return SourceProblem(
        f"This machine has too little memory, and disk to make up for it, to read billing period "
        f"{month}.",
        "Nothing newer is shown of that month; figures read earlier stay as they were.",
        "The export is not to blame: give the machine or container more memory, or free space on "
        "the disk of the spend store.",
    )


def printable(value: str) -> str:
    """A value from a bill in a sentence: short, and nothing in it that isn't seen."""
    shown = value if value.isprintable() else ascii(value)[1:-1]
    return f"“{shown if len(shown) <= MOST_LETTERS else shown[:MOST_LETTERS] + '…'}”"


def _by_size(error: duckdb.Error) -> str:
    too_large = isinstance(error, duckdb.OutOfRangeException)
    return ": their amounts add up to more than can be held" if too_large else ""


def _problem_of(
    connection: Connection, file: Files, month: str, known: StoreKnowledge
) -> SourceProblem | None:
    (path,) = file.paths
    try:
        table = Table(connection, [file], month)
        return _of_amounts(table, known) or _of_texts(path, month) or _of_pages(table)
    except SourceProblem as problem:
        return problem
    except duckdb.Error as error:
        return _of_texts(path, month) or unreadable_file(path, month, error)


def _of_amounts(table: Table, known: StoreKnowledge) -> SourceProblem | None:
    """The first cost or amount of a Bedrock line that can't be read."""
    products = sorted_products(table.run(table.fit("products")), known).keys
    for column in (each for each in NUMBERS if each in table.columns):
        rows = _unreadable(table, column, products)
        if rows:
            lines = sum(row["line_count"] for row in rows)
            return _refused(table.paths[0], table.billing_period, column, lines, rows[0]["value"])
    return None


def _of_pages(table: Table) -> SourceProblem | None:
    """Whether what the statements read can be read at all."""
    columns = [exp.func("hash", exp.column(column)) for column in table.columns]
    every = exp.select(*(exp.func("bit_xor", column) for column in columns)).from_("cur")
    try:
        table.run(every)
    except duckdb.Error as error:
        return unreadable_file(table.paths[0], table.billing_period, error)
    return None


def _of_texts(path: Path, month: str) -> SourceProblem | None:
    """The first column with text that is no UTF-8: DuckDB reads none of it."""
    try:
        opened = parquet.ParquetFile(path)
        names = [name for name in opened.schema_arrow.names if name.lower() in COLUMN_TYPES]
        texts = [name for name in names if pa.types.is_string(opened.schema_arrow.field(name).type)]
        for name in texts:
            values = opened.read([name])[name].cast(pa.binary()).to_pylist()
            wrong = [value for value in values if value is not None and not _is_utf8(value)]
            if wrong:
                value = wrong[0].decode("utf-8", "backslashreplace")
                return _refused(path, month, name.lower(), len(wrong), value)
    except (OSError, pa.ArrowException):
        pass  # then it is the file as a whole
    return None


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refused(path: Path, month: str, column: str, lines: int, value: str) -> SourceProblem:
    counted = "1 line has" if lines == 1 else f"{lines:,} lines have"
    return SourceProblem(
        f"Files of billing period {month} can't be read ({path.name}): {counted} a {column} that "
        f"can't be read, such as {printable(value)}.",
        f"Nothing is guessed. {STAYS}",
        "Copy the file from the export again, or correct the program that wrote it.",
    )


def _with_faults(table: Table, columns: Sequence[str], products: Sequence[str]) -> Iterator[str]:
    """The columns in which a Bedrock line holds what can't be read; all are looked at in one go."""
    if columns:
        lines = table.relation(table.fit("bedrock"), {"products": products}, columns)
        least = [
            duckdb.FunctionExpression("min", duckdb.ColumnExpression(f"unreadable_{column}"))
            for column in columns
        ]
        ((*values,),) = lines.aggregate(least).fetchall()
        yield from (c for c, value in zip(columns, values, strict=True) if value is not None)


def _unreadable(table: Table, column: str, products: Sequence[str]) -> list[dict[str, Any]]:
    """Per currency how many Bedrock lines hold what can't be read, their cost and one value."""
    value = duckdb.ColumnExpression(f"unreadable_{column}")
    lines = table.relation(table.fit("bedrock"), {"products": products}, [column])
    counted = lines.filter(value.isnotnull()).aggregate(
        [
            duckdb.SQLExpression("COALESCE(line_item_currency_code, '')").alias("currency"),
            duckdb.SQLExpression("COUNT(*)").alias("line_count"),
            duckdb.SQLExpression(f"COALESCE(SUM({COST}), 0)").alias("cost"),
            duckdb.FunctionExpression("min", value).alias("value"),
        ],
        "COALESCE(line_item_currency_code, '')",
    )
    rows: list[dict[str, Any]] = counted.order("currency").to_arrow_table().to_pylist()
    return rows


def _lacks_dates(connection: Connection, out: Path) -> bool:
    day = duckdb.ColumnExpression("usage_date")
    absent = connection.read_parquet(str(out), hive_partitioning=False).filter(day.isnull())
    return bool(absent.limit(1).fetchall())
