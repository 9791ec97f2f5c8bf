"""Statements by name: loads them from queries/, fits them to a table, speaks each engine's dialect.

Statements are written once, in Athena's dialect (Trino). Three things are done to their syntax
tree, never to their text: a table that has a file of its own beside the statement is read in as a
named step; relations are given their real names; a column that a table lacks becomes a typed NULL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlglot

# Now, and not by the first to need them: of threads that ask at once, one imports, and the others
# are given a dialect of which the half is there.
import sqlglot.dialects.athena
import sqlglot.dialects.duckdb
from sqlglot import exp

from chargeback.query_known import settled

QUERIES = Path(__file__).resolve().parent.parent / "queries"


@lru_cache(maxsize=1024)
def duckdb_sql(
    name: str,
    relations: tuple[tuple[str, str], ...] = (),
    known: tuple[tuple[str, str | None], ...] = (),
) -> str:
    """The statement `name` ('reports/ranking') for DuckDB; parameters stay named (`$month`).

    Args:
        name: path below queries/, without `.sql`.
        relations: pairs (name in the statement, relation to read instead).
        known: pairs (parameter, its value), for query_known.settled.
    """
    statement = _with_relations(load(name), dict(relations))
    return render(settled(statement, dict(known)) if known else statement, "duckdb")


def into_file(sql: str) -> str:
    """DuckDB's statement that writes the rows of `sql` to the Parquet file `$out`.

    As they come: a table or a relation would hold all of them once more.
    """
    return f"COPY ({sql}) TO $out (FORMAT parquet, COMPRESSION zstd)"


def render(statement: exp.Expr, dialect: str) -> str:
    """One line of SQL, without the comments of its file."""
    if dialect == "duckdb" and statement.find(exp.JSONFormat):
        # sqlglot would format what is JSON already, once per line of the bill.
        statement = statement.transform(
            lambda node: exp.cast(node.this, "TEXT") if isinstance(node, exp.JSONFormat) else node
        )
    return statement.sql(dialect=dialect, comments=False)


@lru_cache(maxsize=64)
def load(name: str) -> exp.Expr:
    """The syntax tree of queries/NAME.sql with its named steps read in. Treat it as immutable.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    tree = sqlglot.parse_one((QUERIES / f"{name}.sql").read_text("utf-8"), read="athena")
    folder = Path(name).parent
    for step in reversed(list(_steps(tree, folder))):
        _put_step_first(tree, step, load(str(folder / step)))
    return tree


def with_missing_columns(
    statement: exp.Expr,
    table: str,
    present: Collection[str],
    types: Mapping[str, str],
    stand_ins: Mapping[str, exp.Expr] | None = None,
) -> exp.Expr:
    """The same statement for a table that lacks columns: it reads a NULL of their type instead.

    Args:
        statement: a tree from `load`.
        table: the table's name in the statement.
        present: the columns that the table has, in any case.
        types: every column that the statement may name, with its type in Athena's dialect.
        stand_ins: what to read instead of some missing columns, rather than NULL.
    """
    missing = sorted(set(types) - {column.lower() for column in present})
    nulls = {c: exp.cast(exp.null(), types[c], dialect="athena") for c in missing}
    read = [exp.alias_((stand_ins or {}).get(c, nulls[c]), c) for c in missing]

    def completed(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table) and node.name == table and not node.db:
            return exp.select("*", *read).from_(exp.to_table(table)).subquery(table)
        return node

    return statement.transform(completed) if missing else statement


def map_of(values: Mapping[str, exp.Expr]) -> exp.Expr:
    """A map of text, made of single values. What is absent or '' is no key of it."""
    given = values.items()
    keys = [exp.Case().when(_is_filled(value), exp.Literal.string(key)) for key, value in given]
    texts = [exp.Case().when(_is_filled(value), value.copy()) for _, value in given]
    made = exp.Map(keys=_without_nulls(keys), values=_without_nulls(texts))
    # Athena would make it a map of texts of the keys' lengths.
    return exp.cast(made, "MAP(VARCHAR, VARCHAR)", dialect="athena")


def _is_filled(value: exp.Expr) -> exp.Expr:
    return exp.NEQ(this=value.copy(), expression=exp.Literal.string(""))


def _without_nulls(values: list[exp.Case]) -> exp.Expr:
    each = exp.to_identifier("each")
    there = exp.not_(exp.Is(this=each, expression=exp.null()))
    return exp.ArrayFilter(
        this=exp.Array(expressions=values),
        expression=exp.Lambda(this=there, expressions=[each.copy()]),
    )


def with_table(statement: exp.Expr, name: str, table: exp.Table | exp.Subquery) -> exp.Expr:
    """The same statement reading `table` wherever it reads `name`."""

    def real(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table) and node.name == name and not node.db:
            return exp.alias_(table.copy(), node.alias or name, table=True)
        return node

    return statement.transform(real)


def positional(sql: str) -> tuple[str, list[str]]:
    """Rendered SQL with `?` for each `:name`, and the names in the order they stand."""
    tokens = sqlglot.tokenize(sql, read="athena")
    pairs = pairwise(tokens)
    marks = [(a, b) for a, b in pairs if a.token_type == sqlglot.TokenType.COLON]
    for colon, name in reversed(marks):
        sql = f"{sql[: colon.start]}?{sql[name.end + 1 :]}"
    return sql, [name.text for _, name in marks]


def parameters(statement: exp.Expr) -> set[str]:
    """The names of the parameters that the statement takes."""
    return {node.this for node in statement.find_all(exp.Placeholder) if node.this}


def select_parameters(statement: exp.Expr, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that the statement takes as parameters."""
    names = parameters(statement)
    return {name: value for name, value in values.items() if name in names}


def _with_relations(tree: exp.Expr, relations: Mapping[str, str]) -> exp.Expr:
    for name, relation in relations.items():
        tree = with_table(tree, name, exp.to_table(relation))
    return tree


def _steps(tree: exp.Expr, folder: Path) -> Iterator[str]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    names = dict.fromkeys(t.name for t in tree.find_all(exp.Table) if not t.db)
    return (n for n in names if n not in own and (QUERIES / folder / f"{n}.sql").exists())


def _put_step_first(tree: exp.Expr, name: str, body: exp.Expr) -> None:
    """Makes `body` the first named step of `tree`; the body's own steps stand before it."""
    inner = body.copy()
    alias = exp.TableAlias(this=exp.to_identifier(name))
    steps = [*_pop_steps(inner), exp.CTE(this=inner, alias=alias)]
    tree.set("with_", exp.With(expressions=[*steps, *_pop_steps(tree)]))


def _pop_steps(query: exp.Expr) -> list[exp.Expr]:
    steps = query.args.get("with_")
    query.set("with_", None)
    return list(steps.expressions) if steps else []
