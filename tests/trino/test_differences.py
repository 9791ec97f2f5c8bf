"""Where engines could differ: what the statements rely on, one small case each."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from chargeback import query
from chargeback.sources.cur2 import COLUMN_TYPES, REQUIRED, TAG_MAP, fit

from .conftest import Engines
from .engine import STARTS_WITHIN

TAGS = pa.map_(pa.string(), pa.string())
TYPES = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    TAG_MAP: TAGS,
}
MONTH, PAYER = "2026-10", "111122223333"
LAST_DIGIT = Decimal("1e-12")
pytestmark = pytest.mark.timeout(STARTS_WITHIN)


def bill(lines: int, **columns: list[Any]) -> pa.Table:
    """Bedrock lines with every column that a statement names; NULL where nothing is said."""
    given = {
        "billing_period": [MONTH] * lines,
        "bill_billing_entity": ["AWS"] * lines,
        "line_item_product_code": ["AmazonBedrock"] * lines,
        "identity_line_item_id": [f"{number:06d}" for number in range(lines)],
        **columns,
    }
    types = {"billing_period": "VARCHAR", **COLUMN_TYPES}
    return pa.table(
        {
            name: pa.array(given.get(name, [None] * lines), TYPES[kind])
            for name, kind in types.items()
        }
    )


def facts_of(
    engines: Engines, table: str, statement: exp.Expr | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of cur/facts over a table, from Trino and from DuckDB, by line id."""
    tree = query.with_table(statement or query.load("cur/facts"), "cur", exp.to_table(table))
    answers = engines.both(tree, {"billing_period": MONTH, "products": [f"{PAYER}|tax-of-known"]})
    found = [[dict(zip(a.columns, row, strict=True)) for row in a.rows] for a in answers]
    for rows in found:
        rows.sort(key=lambda row: str(row["identity_line_item_id"]))
    return found[0], found[1]


NULL_TEXTS = "CAST(NULL AS ARRAY(VARCHAR))"
TEXTS = "CAST(ARRAY['a', 'b'] AS ARRAY(VARCHAR))"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # A key that a map lacks, and no map at all.
        ("element_at(MAP(ARRAY['a'], ARRAY['x']), 'b')", None),
        ("COALESCE(element_at(CAST(NULL AS MAP(VARCHAR, VARCHAR)), 'b'), '')", ""),
        # NULL for a list asks for all, an empty list for nothing.
        (f"COALESCE(contains({NULL_TEXTS}, 'x'), TRUE)", True),
        (f"COALESCE(contains({TEXTS}, 'x'), TRUE)", False),
        ("COALESCE(contains(CAST(ARRAY[] AS ARRAY(VARCHAR)), 'a'), TRUE)", False),
        (f"contains({TEXTS}, CAST(NULL AS VARCHAR))", None),
        (f"CASE WHEN contains({TEXTS}, CAST(NULL AS VARCHAR)) THEN 1 END", None),
        # Texts: positions count characters, comparison goes by UTF-8, blanks count.
        ("strpos('日本bedrock', 'bedrock')", 3),
        ("strpos('', 'bedrock')", 0),
        ("strpos(CAST(NULL AS VARCHAR), 'bedrock') > 0", None),
        ("lower('AMAZON BEDROCK ÄÖÜ İ ẞ')", "amazon bedrock äöü i ß"),
        ("'a' = 'a '", False),
        ("'Ä' < 'Z'", False),
        ("'a' < 'B'", False),
        ("'😀' > 'ﬀ'", True),
        ("'5m cache write' LIKE 'cache %'", False),
        ("CAST(NULL AS VARCHAR) || '|'", None),
        # A condition that is NULL is not true, in CASE as in WHERE.
        ("CASE WHEN CAST(NULL AS DECIMAL(38, 6)) > 0 THEN 1 ELSE 0 END", 0),
        ("NOT CAST(NULL AS BOOLEAN) OR 'note' <> ''", True),
        ("CAST('' AS VARCHAR) NOT IN ('a', 'b')", True),
        # Doubles pass through text, with exponents, and round away from zero at the half.
        ("CAST(CAST(DOUBLE '1.0E-5' AS VARCHAR) AS DECIMAL(38, 12))", Decimal("0.00001")),
        ("CAST(CAST(DOUBLE '5.0E-13' AS VARCHAR) AS DECIMAL(38, 12))", Decimal("1e-12")),
        ("CAST(CAST(DOUBLE '-2.5E-12' AS VARCHAR) AS DECIMAL(38, 12))", Decimal("-3e-12")),
        ("CAST(CAST(DOUBLE '-0.0' AS VARCHAR) AS DECIMAL(38, 12))", Decimal(0)),
        ("CAST(CAST(DOUBLE '1.0E20' AS VARCHAR) AS DECIMAL(38, 12))", Decimal("1e20")),
        (
            "CAST(CAST(-1.2345675 AS DECIMAL(28, 12)) * CAST(1 AS DECIMAL(10, 0))"
            " AS DECIMAL(38, 6))",
            Decimal("-1.234568"),
        ),
        # Days: the last of a month counts to midnight.
        ("CAST(TIMESTAMP '2026-10-31 23:59:59' AS DATE)", date(2026, 10, 31)),
        (
            "DATE '2026-02-28' < date_add('month', 1, CAST('2026-02' || '-01' AS DATE))",
            True,
        ),
        ("DATE '2027-01-01' < date_add('month', 1, CAST('2026-12' || '-01' AS DATE))", False),
        ("DATE '2026-03-01' < date_add('day', 28, CAST('2026-02' || '-01' AS DATE))", False),
    ],
)
def test_expression_has_one_value(engines: Engines, expression: str, value: object) -> None:
    trino, duckdb = engines.both(sqlglot.parse_one(f"SELECT {expression}", read="athena"), {})
    assert trino.rows == duckdb.rows == [(value,)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT x FROM t ORDER BY x", [("",), ("Z",), ("a",), ("é",), ("ﬀ",), ("😀",), (None,)]),
        (
            "SELECT x FROM t ORDER BY x DESC",
            [("😀",), ("ﬀ",), ("é",), ("a",), ("Z",), ("",), (None,)],
        ),
        ("SELECT MAX(x), COUNT(DISTINCT NULLIF(x, '')), COUNT(*) FROM t", [("😀", 5, 7)]),
        (
            "SELECT MAX(x), BOOL_OR(x <> ''), COALESCE(SUM(CAST(x AS DECIMAL(38, 12))), 0)"
            " FROM t WHERE x = 'none'",
            [(None, None, Decimal(0))],
        ),
    ],
)
def test_nulls_sort_last_and_texts_by_their_bytes(
    engines: Engines, sql: str, rows: list[tuple[Any, ...]]
) -> None:
    texts = "VALUES ('é'), ('Z'), (''), ('😀'), (CAST(NULL AS VARCHAR)), ('ﬀ'), ('a')"
    statement = sqlglot.parse_one(f"WITH t (x) AS ({texts}) {sql}", read="athena")
    trino, duckdb = engines.both(statement, {})
    assert trino.rows == duckdb.rows == rows


MAPS = [
    (None, "{}"),
    ([], "{}"),
    ([("a", "2"), ("b", "1")], '{"a":"2","b":"1"}'),
    ([("A", ""), ("Z", "1"), ("a", "3"), ("é", "2")], '{"A":"","Z":"1","a":"3","é":"2"}'),
    ([("a", None), ("b", None)], '{"a":null,"b":null}'),
    ([("ü/ß", '"q"\\ <b>&\'')], '{"ü/ß":"\\"q\\"\\\\ <b>&\'"}'),
    ([("日本", "\n\t\r\b\f\x01\x1f\x7f\xa0")], '{"日本":"\\n\\t\\r\\b\\f\\u0001\\u001F\x7f\xa0"}'),
]


def test_maps_become_the_same_json(engines: Engines) -> None:
    maps = [map_ for map_, _ in MAPS]
    texts = [text for _, text in MAPS]
    lines = {"tags": maps, "resource_tags": maps[::-1], "cost_category": maps}
    engines.add_rows("maps", bill(len(maps), **lines))
    trino, duckdb = facts_of(engines, "maps")
    assert trino == duckdb
    assert [row["tags"] for row in trino] == texts
    older = [texts[-1], texts[-2], *(["{}"] * (len(maps) - 2))]
    assert [row["resource_tags"] for row in trino] == older


def test_the_keys_of_a_map_are_put_in_order_by_one_engine_and_mean_the_same(
    engines: Engines,
) -> None:
    tags = [[("tenant", "acme"), ("cost-center", "1"), ("Team", "a")]]
    engines.add_rows("unordered", bill(1, tags=tags))
    (trino,), (duckdb,) = facts_of(engines, "unordered")
    assert json.loads(trino["tags"]) == json.loads(duckdb["tags"]) == dict(tags[0])


def test_letters_beyond_the_first_plane_are_escaped_by_one_engine_and_mean_the_same(
    engines: Engines,
) -> None:
    """Older Jackson, which Trino formats JSON with, writes them as two `\\u` escapes."""
    tags = [[("tenant", "𠮷野家"), ("😀", "ﬀ")]]
    engines.add_rows("planes", bill(1, tags=tags))
    (trino,), (duckdb,) = facts_of(engines, "planes")
    assert json.loads(trino["tags"]) == json.loads(duckdb["tags"]) == dict(tags[0])


def amounts() -> list[float]:
    """Costs as AWS writes them, tiny and huge ones, and doubles of no short decimal form."""
    random = np.random.default_rng(26)
    cents = random.integers(-(10**9), 10**9, 2_000) / 10**10
    halves = (random.integers(-(10**6), 10**6, 2_000) + 0.5) / 10**12
    return [*cents.tolist(), *halves.tolist(), *random.lognormal(-8, 8, 4_000).tolist()]


def test_doubles_become_the_decimals_that_they_stand_for(engines: Engines) -> None:
    values = amounts()
    engines.add_rows("doubles", bill(len(values), line_item_unblended_cost=values))
    trino, duckdb = facts_of(engines, "doubles")
    assert trino == duckdb
    assert [row["unblended_cost"] for row in trino] == [
        Decimal(repr(value)).quantize(LAST_DIGIT, ROUND_HALF_UP) for value in values
    ]


def test_what_counts_as_bedrock(engines: Engines) -> None:
    named = [("product_name", "Claude (Amazon Bedrock Edition)")]
    lines = [
        ("AWS", "AmazonBedrock", None, None, True),
        ("AWS", "AmazonBEDROCKStudio", None, None, True),
        ("AWS Marketplace", "AmazonBedrock", None, None, True),
        (None, "AmazonBedrock", None, None, True),
        ("AWS", "AmazonEC2", None, "AmazonBedrockService", True),
        (None, None, None, "amazonbedrock", True),
        ("AWS Marketplace", "6mf0qz", named, None, True),
        (" AWS Marketplace ", "6mf0qz", named, None, True),
        ("AWS Marketplace", "tax-of-known", None, None, True),
        ("AWS", "tax-of-known", [("product_name", "Tax")], None, True),
        ("AWS", "AmazonEC2", [("product_name", "Amazon Bedrock")], None, False),
        ("AWS", None, None, None, False),
        ("AWS Marketplace", "6mf0qz", [("region", "Bedrock")], None, False),
        ("AWS Marketplace", "tax-of-unknown", None, None, False),
    ]
    entities, codes, products, services, bedrock = (list(c) for c in zip(*lines, strict=True))
    columns = {
        "bill_payer_account_id": [PAYER] * len(lines),
        "line_item_product_code": codes,
        "product": products,
        "product_servicecode": services,
    }
    engines.add_rows("sold", bill(len(lines), bill_billing_entity=entities, **columns))
    trino, duckdb = facts_of(engines, "sold")
    assert trino == duckdb
    found = {int(row["identity_line_item_id"]) for row in trino}
    assert found == {number for number, is_one in enumerate(bedrock) if is_one}


def test_an_export_without_optional_columns(engines: Engines) -> None:
    present = ["billing_period", *REQUIRED]
    first = datetime(2026, 10, 1)
    whole = bill(2, line_item_unblended_cost=[0.1, None], line_item_usage_start_date=[first, None])
    engines.add_rows("narrow", whole.select(present))
    statement = fit("facts", present)
    trino, duckdb = facts_of(engines, "narrow", statement)
    key = "unblended_cost"
    trino, duckdb = (sorted(rows, key=lambda row: str(row[key])) for rows in (trino, duckdb))
    assert trino == duckdb
    assert [row[key] for row in trino] == [Decimal("0.1"), Decimal(0)]
    assert {(row["iam_principal"], row["tags"], row["pricing_unit"]) for row in trino} == {
        ("", "{}", "")
    }


def test_tokens_round_at_the_sixth_decimal(engines: Engines) -> None:
    amount = "CAST(1.234567500000 AS DECIMAL(38, 12))"
    meaning = query.load("store/daily")
    (tokens,) = (column for column in meaning.expressions if column.alias == "tokens")
    case = tokens.sql("athena")
    statement = sqlglot.parse_one(
        f"WITH s AS (SELECT 'usage' AS charge_category, {amount} AS usage_amount), "  # noqa: S608
        f"m AS (SELECT CAST(1 AS DECIMAL(10, 0)) AS tokens_per_unit) SELECT {case} FROM s, m",
        read="athena",
    )
    trino, duckdb = engines.both(statement, {})
    assert trino.rows == duckdb.rows == [(Decimal("1.234568"),)]
