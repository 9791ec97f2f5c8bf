"""Every statement under queries/, and what chargeback.query does to them."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from chargeback import query
from chargeback.sources.cur2 import COLUMN_TYPES, REQUIRED

STATEMENTS = sorted(
    str(path.relative_to(query.QUERIES).with_suffix("")) for path in query.QUERIES.rglob("*.sql")
)

TRINO_FUNCTIONS = {
    "ABS",
    "ARRAY_AGG",
    "ARRAY_JOIN",
    "BOOL_AND",
    "BOOL_OR",
    "CAST",
    "COALESCE",
    "CONTAINS",
    "COUNT",
    "DATE_ADD",
    "DATE_DIFF",
    "DATE_TRUNC",
    "DENSE_RANK",
    "ELEMENT_AT",
    "GREATEST",
    "JSON_FORMAT",
    "LEAST",
    "LOWER",
    "MAP_KEYS",
    "MAX",
    "MIN",
    "NULLIF",
    "REGEXP_LIKE",
    "ROUND",
    "ROW_NUMBER",
    "STRPOS",
    "SPLIT_PART",
    "SUBSTR",
    "SUM",
    "TO_UNIXTIME",
    "TRIM",
    "TRY_CAST",
    "UNNEST",
}
"""Of "List of functions by topic" in Trino's documentation those that the statements use: sqlglot
reads a function that Trino lacks as willingly as one that it has."""
BEFORE_BRACKETS = frozenset({"AND", "ARRAY", "AS", "DECIMAL", "IN", "OR", "OVER"})
"""Words of the language that may stand there, and are no functions."""

each_statement = pytest.mark.parametrize("name", STATEMENTS)


def text_of(name: str) -> str:
    return (query.QUERIES / f"{name}.sql").read_text("utf-8")


def header_of(name: str) -> list[str]:
    lines = text_of(name).splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return [line.removeprefix("--").strip() for line in lines[:end]]


def steps_of(tree: exp.Expr) -> list[exp.CTE]:
    with_ = tree.args.get("with_")
    return list(with_.expressions) if with_ else []


def read_by(tree: exp.Expr) -> set[str]:
    return {table.name for table in tree.find_all(exp.Table) if not table.db}


def test_there_are_statements_over_the_bill_and_over_the_store() -> None:
    rooms = {"cur", "demo", "reports", "restatement", "store"}
    assert {str(Path(name).parent) for name in STATEMENTS} == rooms


@each_statement
def test_statement_says_what_it_answers_and_what_a_row_is(name: str) -> None:
    header = header_of(name)
    answers = " ".join(header[: header.index("")])
    assert answers[-1] in "?."
    assert any(line.startswith("grain:") for line in header)


@each_statement
def test_statement_documents_that_it_takes_parameters(name: str) -> None:
    own = query.parameters(sqlglot.parse_one(text_of(name), read="athena"))
    assert not own or any(line.startswith("parameters:") for line in header_of(name))


@each_statement
def test_statement_is_athenas_dialect(name: str) -> None:
    rendered = query.render(query.load(name), "athena")
    assert sqlglot.parse_one(rendered, read="trino").sql("trino") == rendered


def functions_of(sql: str) -> set[str]:
    """Whatever stands before a bracket, but for words of the language and names that AS gives."""
    tokens = [token.text.upper() for token in sqlglot.tokenize(sql, read="trino")]
    called = {
        word
        for before, word, after in zip(["", *tokens], tokens, tokens[1:], strict=False)
        if after == "(" and before != "AS" and word.replace("_", "").isalnum()
    }
    return called - BEFORE_BRACKETS


@each_statement
def test_statement_calls_no_function_that_trino_lacks(name: str) -> None:
    assert functions_of(text_of(name)) <= TRINO_FUNCTIONS
    assert functions_of(query.render(query.load(name), "athena")) <= TRINO_FUNCTIONS


def test_no_function_is_allowed_that_no_statement_calls() -> None:
    rendered = (query.render(query.load(name), "athena") for name in STATEMENTS)
    assert set().union(*map(functions_of, rendered)) == TRINO_FUNCTIONS


@pytest.mark.parametrize(
    "call",
    [
        "list_filter(tags, x -> x <> '')",
        "strftime(usage_date, '%Y-%m')",
        "nofunction(a)",
        "IIF (a)",
    ],
)
def test_a_function_of_another_engine_is_found(call: str) -> None:
    sql = f"SELECT COUNT(*), {call} AS x FROM spend WHERE a IN (1)"  # noqa: S608
    assert functions_of(sql) - TRINO_FUNCTIONS == {call.partition("(")[0].strip().upper()}


@each_statement
def test_statement_renders_for_duckdb(name: str) -> None:
    with duckdb.connect() as connection:
        assert len(connection.extract_statements(query.duckdb_sql(name))) == 1


@each_statement
def test_a_step_stands_after_the_steps_that_it_reads(name: str) -> None:
    steps = steps_of(query.load(name))
    names = [step.alias for step in steps]
    assert len(set(names)) == len(names)
    for position, step in enumerate(steps):
        assert not read_by(step.this) & set(names[position:])


@each_statement
def test_no_step_is_left_to_be_read_from_a_file(name: str) -> None:
    tree = query.load(name)
    open_ = read_by(tree) - {step.alias for step in steps_of(tree)}
    folder = (query.QUERIES / name).parent
    assert not [table for table in open_ if (folder / f"{table}.sql").exists()]


@each_statement
def test_positional_and_named_parameters_agree(name: str) -> None:
    tree = query.load(name)
    sql, names = query.positional(query.render(tree, "athena"))
    assert set(names) == query.parameters(tree)
    marks = sqlglot.parse_one(sql, read="trino").find_all(exp.Placeholder)
    assert [mark.this for mark in marks] == [None] * len(names)


def test_named_steps_are_read_in_as_ctes() -> None:
    tree = query.load("cur/daily_spend")
    assert [step.alias for step in steps_of(tree)] == ["bedrock", "facts"]
    assert read_by(tree) == {"bedrock", "cur", "facts"}


def test_an_unknown_statement_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        query.load("cur/no_such_statement")


def test_missing_columns_become_typed_nulls_that_duckdb_runs() -> None:
    present = ["billing_period", *(column.upper() for column in REQUIRED)]
    facts = query.with_missing_columns(query.load("cur/daily_spend"), "cur", present, COLUMN_TYPES)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE cur AS SELECT '2026-07' AS billing_period, "
            "'Usage' AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code, "
            "0.1::DOUBLE AS line_item_unblended_cost, 'USE1-tokens' AS line_item_usage_type, "
            "TIMESTAMP '2026-07-03 10:00:00' AS line_item_usage_start_date"
        )
        values = {"billing_period": "2026-07", "products": []}
        found = connection.execute(query.render(facts, "duckdb"), values)
        types = {column[0]: str(column[1]) for column in found.description or []}
        row = dict(zip(types, found.fetchone() or (), strict=True))
    assert (row["iam_principal"], row["tags"], row["product_name"]) == ("", "{}", "")
    assert row["unblended_cost"] == Decimal("0.1")
    assert (row["net_unblended_cost"], types["net_unblended_cost"]) == (None, "DECIMAL(38,12)")
    assert (row["resource_tags"], row["cost_category"]) == ("{}", "{}")


def test_no_column_is_touched_when_none_is_missing() -> None:
    facts = query.load("cur/facts")
    assert query.with_missing_columns(facts, "cur", list(COLUMN_TYPES), COLUMN_TYPES) == facts


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT x FROM cur", 'SELECT x FROM "bill"."cur2" AS cur'),
        ("SELECT cur.x FROM cur", 'SELECT cur.x FROM "bill"."cur2" AS cur'),
        ("SELECT c.x FROM cur AS c", 'SELECT c.x FROM "bill"."cur2" AS c'),
        ("SELECT x FROM other.cur", "SELECT x FROM other.cur"),
        ("SELECT cur FROM spend", "SELECT cur FROM spend"),
    ],
)
def test_a_table_is_replaced_under_the_name_it_is_read_by(sql: str, expected: str) -> None:
    table = exp.table_("cur2", db="bill", quoted=True)
    replaced = query.with_table(sqlglot.parse_one(sql, read="athena"), "cur", table)
    assert query.render(replaced, "athena") == expected


def test_duckdb_sql_reads_other_relations_and_keeps_named_parameters() -> None:
    sql = query.duckdb_sql("store/identities", (("spend", "daily"),))
    assert "FROM daily AS spend" in sql
    assert "$billing_period" in query.duckdb_sql("cur/daily_spend")


def test_loading_twice_gives_the_same_tree_untouched_by_use() -> None:
    before = query.render(query.load("cur/lines"), "athena")
    query.with_table(query.load("cur/lines"), "cur", exp.to_table("elsewhere"))
    query.duckdb_sql("cur/lines", (("cur", "elsewhere"),))
    assert query.render(query.load("cur/lines"), "athena") == before


@given(st.text(), st.text(alphabet=st.characters(exclude_characters='"\0'), min_size=1))
def test_positional_leaves_colons_in_texts_and_names_alone(text: str, column: str) -> None:
    tree = exp.select(
        exp.Literal.string(f":a {text}"),
        exp.Placeholder(this="first"),
        exp.column(f"b:c {column}", quoted=True),
        exp.Placeholder(this="second"),
    )
    sql, names = query.positional(query.render(tree, "athena"))
    assert names == ["first", "second"]
    found = sqlglot.parse_one(sql, read="trino").expressions
    assert [found[0].this, found[2].name] == [f":a {text}", f"b:c {column}"]
    assert [found[1].this, found[3].this] == [None, None]


def test_threads_that_ask_first_find_whole_dialects() -> None:
    """sqlglot imports a dialect when it is first named, and knows it before all of it is there."""
    names = [f"sqlglot.dialects.{each}" for each in ("athena", "duckdb", "hive", "trino")]
    lacking = f"import sys, chargeback.query; print([n for n in {names} if n not in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", lacking],
        cwd=query.QUERIES.parent,
        text=True,
        capture_output=True,
        check=True,
    )
    assert found.stdout == "[]\n"
