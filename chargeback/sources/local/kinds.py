"""Sums a large month by kind of line: by one number in place of the many texts that lines share.

DuckDB holds every text that a row of the sums is told apart by, for each row and in each thread,
until the last line is read. Most of these texts say what was used and who sold it: a few thousand
combinations in any bill. They are found first, which reads no tags, and numbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
from sqlglot import exp

from chargeback.sources.local.table import Connection, Table

MANY = frozenset(
    ("usage_date", "iam_principal", "tags", "resource_tags", "cost_category", "resource_id")
)
"""The grouping columns of daily_spend.sql that are no part of a kind: callers have their own."""
KINDS, KIND = "kinds", "kind"


def number_kinds(table: Table, spend: exp.Expr, products: Sequence[str]) -> int:
    """Makes the table `kinds` of the connection; how many Bedrock lines there are.

    Args:
        table: the period's files.
        spend: daily_spend.sql as it fits them.
        products: the parameter of the statement.
    """
    keys, _ = _parts(spend)
    named = [exp.alias_(key.unalias(), _name(key)) for key in keys if key.alias_or_name not in MANY]
    lines = exp.alias_(exp.Count(this=exp.Star()), "lines")
    kinds = _of_facts(spend, [*named, lines], grouped=len(named))
    number = duckdb.SQLExpression("CAST(row_number() OVER () AS INTEGER)").alias(KIND)
    found = table.relation(kinds, {"products": products})
    found.select(duckdb.StarExpression(), number).create(KINDS)
    ((count,),) = table.connection.table(KINDS).sum("lines").fetchall()
    return int(count or 0)


def by_kind(spend: exp.Expr) -> exp.Expr:
    """The same rows as `spend`, in another order; reads the table `kinds`.

    A line of an unknown kind, as there is only where a file has changed since, stays in it.
    """
    keys, amounts = _parts(spend)
    own = [key for key in keys if key.alias_or_name in MANY]
    shared = [key for key in keys if key.alias_or_name not in MANY]
    same = [exp.EQ(this=key.unalias(), expression=exp.column(_name(key), KINDS)) for key in shared]
    kind = exp.column(KIND, KINDS)
    sums = _of_facts(spend, [kind, *own, *amounts], grouped=1 + len(own)).join(
        KINDS, on=exp.and_(*same), join_type="left"
    )
    columns = [
        exp.alias_(exp.column(_name(each), KINDS), each.alias_or_name)
        if each in shared
        else exp.column(each.alias_or_name, "sums")
        for each in spend.expressions
    ]
    whole = exp.select(*columns).from_(sums.subquery("sums"))
    return whole.join(KINDS, on=f"sums.{KIND} = {KINDS}.{KIND}", join_type="left")


def has_unknown_kinds(connection: Connection, out: Path) -> bool:
    """Whether a line of the sums in `out` is of a kind that was not there when kinds were found."""
    month = duckdb.ColumnExpression("billing_period")
    unknown = connection.read_parquet(str(out), hive_partitioning=False).filter(month.isnull())
    return bool(unknown.limit(1).fetchall())


def _parts(spend: exp.Expr) -> tuple[list[exp.Expr], list[exp.Expr]]:
    """What the statement groups by, which stands first, and what it adds up."""
    keys = len(spend.args["group"].expressions)
    return spend.expressions[:keys], spend.expressions[keys:]


def _name(key: exp.Expr) -> str:
    """What a grouping column is called in `kinds`: as no column of a line is."""
    return f"{KIND}_{key.alias_or_name}"


def _of_facts(spend: exp.Expr, columns: Sequence[exp.Expr], grouped: int) -> exp.Select:
    """These columns of the lines that `spend` reads, by the first so many of them."""
    places = [exp.Literal.number(place + 1) for place in range(grouped)]
    found = exp.select(*columns).from_("facts").group_by(*places)
    found.set("with_", spend.args["with_"].copy())
    return found
