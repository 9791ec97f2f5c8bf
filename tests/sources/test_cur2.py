"""What the statements of queries/cur make of odd lines, whichever source they come from."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from chargeback import query
from chargeback.notices import COLUMNS, notice
from chargeback.sources.cur2 import fit, missing_columns, nested_keys

MONTH = "2026-10"
LINE = {
    "billing_period": MONTH,
    "bill_billing_entity": "AWS",
    "line_item_iam_principal": "arn:aws:iam::111122223333:user/alice",
    "line_item_line_item_type": "Usage",
    "line_item_product_code": "AmazonBedrock",
    "line_item_unblended_cost": 0.0000123456,
    "line_item_usage_account_id": "111122223333",
    "line_item_usage_start_date": datetime(2026, 10, 3, tzinfo=UTC),
    "line_item_usage_type": "USE1-NovaPro-input-tokens",
}
"""A Bedrock line with the columns that no bill can be without, and who called."""
COSTS = pa.float64(), pa.decimal128(38, 15)
"""As AWS writes them, and as tables made of an export may have them."""


def read(statement: str, lines: list[dict[str, Any]], cost: pa.DataType) -> list[dict[str, Any]]:
    """The rows of a statement of queries/cur over a table of these lines."""
    table = pa.Table.from_pylist(lines)
    at = table.schema.get_field_index("line_item_unblended_cost")
    cur = table.cast(table.schema.set(at, pa.field("line_item_unblended_cost", cost)))
    tree = fit(statement, cur.column_names)
    given = {"billing_period": MONTH, "products": []}
    taken = {name: given[name] for name in query.parameters(tree)}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("cur", cur)
        found = connection.sql(query.render(tree, "duckdb"), params=taken)
        rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


@pytest.mark.parametrize("cost", COSTS, ids=str)
def test_a_line_without_a_cost_is_a_line_that_costs_nothing(cost: pa.DataType) -> None:
    lines = [LINE, LINE | {"line_item_unblended_cost": None}]
    facts = read("facts", lines, cost)
    assert [fact["unblended_cost"] for fact in facts] == [Decimal("0.0000123456"), Decimal()]
    (kept,) = read("daily_spend", lines, cost)
    assert (kept["unblended_cost"], kept["line_count"]) == (Decimal("0.0000123456"), len(lines))
    assert kept["net_unblended_cost"] is None


def test_a_net_cost_that_aws_left_out_of_some_lines_loses_none_of_their_cost() -> None:
    filled = LINE | {"line_item_unblended_cost": 10.0, "line_item_net_unblended_cost": 9.0}
    left_out = LINE | {"line_item_unblended_cost": 5.0, "line_item_net_unblended_cost": None}
    (kept,) = read("daily_spend", [filled, left_out], pa.float64())
    assert (kept["unblended_cost"], kept["net_unblended_cost"]) == (Decimal(15), Decimal(14))


NESTED = {"product_product_name": "Claude (Amazon Bedrock Edition)", "resource_tags_user_team": "a"}


def test_keys_as_columns_are_the_map_in_both_dialects() -> None:
    sold = LINE | {"bill_billing_entity": "AWS Marketplace", "line_item_product_code": "p1"}
    lines = [sold | NESTED, sold | dict.fromkeys(NESTED), sold | dict.fromkeys(NESTED, "")]
    (fact,) = read("facts", lines, pa.float64())
    assert fact["product_name"] == NESTED["product_product_name"]
    assert (fact["resource_tags"], fact["cost_category"]) == ('{"user_team":"a"}', "{}")
    athena = query.render(fit("facts", lines[0]), "athena")
    assert sqlglot.parse_one(athena, read="trino").sql("trino") == athena
    assert """CASE WHEN "product_product_name" <> '' THEN 'product_name' END""" in athena


def test_keys_as_columns_are_told_of_and_no_column_is_called_missing() -> None:
    columns = [*(column for column in COLUMNS if column != "product"), *NESTED, "tags_x"]
    assert missing_columns(columns) == (
        notice("column-nested", column="product", columns="product_product_name"),
        notice("column-nested", column="resource_tags", columns="resource_tags_user_team"),
    )


def test_a_map_that_is_there_needs_no_columns() -> None:
    assert nested_keys(["product", "product_product_name", "tags", "tags_x"]) == {}


@pytest.mark.parametrize("column", ["product_servicecode", "product_region_code", "product_sku"])
def test_other_columns_of_the_product_are_no_keys(column: str) -> None:
    assert nested_keys([column]) == {}


@pytest.mark.parametrize("cost", ["n/a", "NaN", "1e300"])
def test_a_cost_that_cannot_be_read_refuses_only_where_it_counts(cost: str) -> None:
    other = LINE | {"bill_billing_entity": "AWS Marketplace", "line_item_product_code": "p1"}
    (product,) = read("products", [other | {"line_item_unblended_cost": cost}], pa.string())
    assert (product["line_count"], product["cost"]) == (1, Decimal())
    with pytest.raises(duckdb.ConversionException):
        read("facts", [LINE | {"line_item_unblended_cost": cost}], pa.string())


def test_totals_are_told_by_payer_and_currency() -> None:
    lines = [
        LINE | {"bill_payer_account_id": payer, "line_item_currency_code": currency}
        for payer, currency in (("1", "USD"), ("1", "EUR"), ("2", "USD"), ("1", "USD"))
    ]
    found = read("totals", lines, pa.float64())
    assert [tuple(row.values()) for row in found] == [
        ("1", "EUR", 1, Decimal("0.0000123456")),
        ("1", "USD", 2, Decimal("0.0000246912")),
        ("2", "USD", 1, Decimal("0.0000123456")),
    ]
