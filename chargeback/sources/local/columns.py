"""Columns of Parquet files made one: whatever types they have, the statements see those of CUR 2.0.

Tools that rewrite an export (pandas, Spark, CSV loaders) turn ids into numbers, numbers and dates
into text, maps into text, structs or lists. A column that has its type already is left alone, so
that an export as AWS writes it is read at no cost for this.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sqlglot
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from chargeback import query
from chargeback.sources.cur2 import COLUMN_TYPES, TAG_MAP

ACCOUNTS = ("bill_payer_account_id", "line_item_usage_account_id")
NUMBERS = tuple(column for column, type_ in COLUMN_TYPES.items() if type_ == "DOUBLE")
DATES = tuple(column for column, type_ in COLUMN_TYPES.items() if type_ == "TIMESTAMP")
MAPS = tuple(column for column, type_ in COLUMN_TYPES.items() if type_ == TAG_MAP)

AS_TEXT = "CAST($x AS VARCHAR)"
NO_BLANKS = "NULLIF(trim($x), '')"
WHOLE = "regexp_replace($x, '\\.0+$', '')"
FLOAT_AS_ID = (
    "CASE WHEN isnan($x) THEN NULL WHEN $x = trunc($x) AND abs($x) < 1e18 "
    "THEN CAST(CAST($x AS BIGINT) AS VARCHAR) ELSE CAST($x AS VARCHAR) END"
)
TWELVE_DIGITS = (
    "CASE WHEN length($x) = 12 THEN $x WHEN regexp_full_match(trim($x), '[0-9]{1,12}(\\.0*)?') "
    "THEN lpad(split_part(trim($x), '.', 1), 12, '0') ELSE $x END"
)
"""An account id has twelve digits; as a number it lost its zeros in front, or got a fraction."""
AS_MOMENT = "TRY_CAST(TRY_CAST(trim($x) AS TIMESTAMPTZ) AS TIMESTAMP)"
CREDIBLE = (
    "CAST(CASE WHEN $x >= DATE '2000-01-01' AND $x < DATE '2100-01-01' THEN $x END AS TIMESTAMP)"
)
"""What lies outside is a fault of some tool, and years beyond 9999 can't even be told in Python."""
MAP_OF_TEXT = "TRY_CAST(TRY_CAST(NULLIF(trim($x), '') AS JSON) AS MAP(VARCHAR, VARCHAR))"
MAP_OF_LIST = "CAST(TRY(map_from_entries($x)) AS MAP(VARCHAR, VARCHAR))"
MAP_OF_MAP = "CAST($x AS MAP(VARCHAR, VARCHAR))"
MOMENT_AS_TEXT = (
    "CASE WHEN $x < DATE '1700-01-01' THEN 'a moment before 1700' "
    "ELSE CAST(CASE WHEN $x >= DATE '1700-01-01' THEN $x END AS VARCHAR) END"
)
"""DuckDB ends with an error of its own when it is to write the smallest number as a moment, and may
try to for lines that a CASE leaves out. Moments in nanoseconds begin in 1677: it can't compare them
with an earlier one."""
NO_NUMBER = "length(trim($x)) = 0"
NO_MAP = "lower(trim($x)) IN ('', 'null')"
NO_MAP_OF_FLOAT = "$x = 'nan'"
"""pandas writes a column in which nothing is filled as floats that are no number."""

MOMENTS = ("date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")
FLOATS = ("float", "double")


def one_type(
    column: str, given: exp.Expr, type_: DuckDBPyType, *, number_as_text: bool = False
) -> exp.Expr:
    """The column's values in the type that statements read.

    Args:
        column: a name of COLUMN_TYPES.
        given: the column as it is in the files.
        type_: its type there.
        number_as_text: whether a cost or amount must become text, as other files have it. No digit
            is lost: the statements read every number through its text.
    """
    if column in NUMBERS:
        return _number(given, type_, number_as_text)
    if column in DATES:
        return _moment(given, type_)
    if column in MAPS:
        return _map(given, type_)
    text = _text(given, type_)
    return _of(TWELVE_DIGITS, text) if column in ACCOUNTS else text


def unreadable(column: str, given: exp.Expr, type_: DuckDBPyType) -> exp.Expr:
    """The value as text where it says something that can't be read; NULL for all others."""
    is_moment = type_.id in MOMENTS or _has_zone(type_)
    text = _of(MOMENT_AS_TEXT if is_moment else AS_TEXT, given)
    read = one_type(column, given, type_)
    if column in NUMBERS:
        decimal = exp.DataType.build("DECIMAL(38, 12)", dialect="duckdb")
        read = exp.TryCast(this=_of(AS_TEXT, read), to=decimal)
    told = exp.and_(
        _is_null(read), exp.not_(_is_null(text)), exp.not_(_absent(column, text, type_))
    )
    return exp.Case().when(told, text)


@lru_cache(maxsize=1024)
def one_type_sql(column: str, name: str, type_: DuckDBPyType, number_as_text: bool) -> str:
    """`one_type` of the files' column `name` as DuckDB's SQL: a bill's files are much alike."""
    given = exp.column(name, quoted=True)
    return query.render(one_type(column, given, type_, number_as_text=number_as_text), "duckdb")


@lru_cache(maxsize=1024)
def unreadable_sql(column: str, name: str, type_: DuckDBPyType) -> str:
    """`unreadable` of the files' column `name` as DuckDB's SQL."""
    return query.render(unreadable(column, exp.column(name, quoted=True), type_), "duckdb")


def is_ready(column: str, type_: DuckDBPyType) -> bool:
    """Whether all that a column of this type holds can be read."""
    if column in MAPS:
        return type_.id in ("map", "struct", "null")
    return column not in DATES or type_.id in MOMENTS or _has_zone(type_)


def differs(types: list[DuckDBPyType]) -> bool:
    """Whether a cost or amount is text, or is written in more than one way."""
    kinds = {str(type_) for type_ in types if type_.id != "null"}
    return len(kinds) > 1 or not all(_is_number(type_) for type_ in types)


def _number(given: exp.Expr, type_: DuckDBPyType, as_text: bool) -> exp.Expr:
    if type_.id == "null":
        return _of("CAST($x AS DOUBLE)", given)
    if _is_number(type_):
        return _of(AS_TEXT, given) if as_text else given
    return _of(NO_BLANKS, _of(AS_TEXT, given))


def _is_number(type_: DuckDBPyType) -> bool:
    return (
        type_.id in (*FLOATS, "decimal", "null")
        or type_.id.endswith("int")
        or (type_.id == "integer")
    )


def _moment(given: exp.Expr, type_: DuckDBPyType) -> exp.Expr:
    if type_.id in MOMENTS or _has_zone(type_):
        return _of(CREDIBLE, given)
    if type_.id == "varchar":
        return _of(CREDIBLE, _of(AS_MOMENT, given))
    return exp.cast(exp.null(), "TIMESTAMP")


def _has_zone(type_: DuckDBPyType) -> bool:
    return type_.id.endswith("with time zone")


def _map(given: exp.Expr, type_: DuckDBPyType) -> exp.Expr:
    if str(type_) == TAG_MAP:
        return given
    if type_.id == "struct":
        fields = {name: _of(AS_TEXT, _field(given, name)) for name, _ in type_.children}
        return exp.Case().when(exp.not_(_is_null(given)), query.map_of(fields))
    templates = {"map": MAP_OF_MAP, "varchar": MAP_OF_TEXT}
    if str(type_).startswith("STRUCT") and type_.id == "list":
        return _of(MAP_OF_LIST, given)
    nothing = exp.cast(exp.null(), TAG_MAP, dialect="athena")
    return _of(templates[type_.id], given) if type_.id in templates else nothing


def _field(struct: exp.Expr, name: str) -> exp.Expr:
    return exp.func("struct_extract", struct.copy(), exp.Literal.string(name))


def _text(given: exp.Expr, type_: DuckDBPyType) -> exp.Expr:
    if type_.id == "varchar":
        return given
    if type_.id in FLOATS:
        return _of(FLOAT_AS_ID, given)
    text = _of(AS_TEXT, given)
    return _of(WHOLE, text) if type_.id == "decimal" else text


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=value.copy(), expression=exp.null())


def _absent(column: str, text: exp.Expr, type_: DuckDBPyType) -> exp.Expr:
    """Whether a text says that there is no value."""
    if column not in MAPS:
        return _of(NO_NUMBER, text)
    return _of(NO_MAP_OF_FLOAT if type_.id in FLOATS else NO_MAP, text)


def _of(template: str, value: exp.Expr) -> exp.Expr:
    """A template of this page over a value in place of its `$x`."""
    return _parsed(template).transform(
        lambda node: value.copy() if isinstance(node, exp.Placeholder) else node
    )


@lru_cache(maxsize=64)
def _parsed(template: str) -> exp.Expr:
    return sqlglot.parse_one(template, read="duckdb")


def columns_of(nested: Mapping[str, str]) -> dict[str, exp.Expr]:
    """Columns that stand for the keys of a map, as text."""
    return {key: _of(AS_TEXT, exp.column(column, quoted=True)) for key, column in nested.items()}
