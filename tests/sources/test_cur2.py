"""What the statements of queries/cur make of odd lines, whichever source they come from."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from chargeback import query
from chargeback.sources.cur2 import fitted

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
    sql = query.render(fitted(statement, cur.column_names), "duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("cur", cur)
        found = connection.sql(sql, params={"billing_period": MONTH, "products": []})
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
