"""Rows as reports are asked of them, made in memory: thousands of them in a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa

from chargeback import query
from chargeback.access.rows import EVERYTHING
from chargeback.dimensions import UNALLOCATED
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Grain, Tables
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.store.base import StoredPeriod

Row = dict[str, Any]

TEXTS = {
    "billing_period": "",
    "currency": "USD",
    "usage_account_id": "111122223333",
    "usage_account_name": "shop",
    "iam_principal": "",
    "principal": UNALLOCATED,
    "principal_name": "(no principal)",
    "principal_type": "role",
    "session_name": "",
    "tenant": UNALLOCATED,
    "tenant_source": "",
    "team": UNALLOCATED,
    "team_source": "",
    "project": UNALLOCATED,
    "project_source": "",
    "cost_center": UNALLOCATED,
    "cost_center_source": "",
    "charge_category": "usage",
    "provider": "Anthropic",
    "model": "",
    "token_type": "input",
    "service_tier": "on-demand",
    "region": "us-east-1",
}
"""Columns of the joined rows, and what stands in them where a test says nothing."""
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (*TEXTS, "usage_type")),
        ("usage_date", pa.date32()),
        ("tokens", pa.decimal128(38, 6)),
        ("cost", pa.decimal128(38, 12)),
    ]
)


class RowsInMemory:
    """DuckDB's answers over rows that no store holds."""

    bills: Mapping[str, Any] = {}
    problems: Mapping[str, Any] = {}

    def __init__(self, rows: Iterable[Row]) -> None:
        self._connection = duckdb.connect()
        table = pa.Table.from_pylist(list(rows), SCHEMA)
        self._connection.register("given", table)
        self._connection.execute("CREATE TABLE rows AS SELECT * FROM given")
        read = query.duckdb_sql("store/kinds_of_tokens", (("enriched", "rows"),))
        self._connection.sql(read).create_view("enriched")

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a statement, whatever the grain: these have both."""
        sql = query.duckdb_sql(f"reports/{name}", (("enriched", "enriched"),))
        return self._connection.cursor().execute(sql, dict(parameters)).to_arrow_table()


def answers_over(rows: Iterable[Row]) -> Answers:
    """Answers over these rows."""
    rows = list(rows)
    periods = [
        SimpleNamespace(key=month, manifest=SimpleNamespace(billing_period=month))
        for month in sorted({row["billing_period"] for row in rows}, reverse=True)
    ]
    return Answers(
        cast("list[StoredPeriod]", periods), cast(Rules, None), cast(Tables, RowsInMemory(rows))
    )


def spend(  # a row of the store has many columns
    caller: str,
    day: date,
    cost: Decimal,
    tokens: Decimal | None = None,
    **columns: str,
) -> Row:
    """What a role used on a day, billed in that day's month; '' calls without a principal."""
    arn = f"arn:aws:iam::111122223333:role/{caller}"
    called = {"iam_principal": arn, "principal": arn, "principal_name": caller} if caller else {}
    row = TEXTS | {"billing_period": f"{day:%Y-%m}"} | called | columns
    row.setdefault("usage_type", f"{row['model']} {row['token_type']}")
    return {**row, "usage_date": day, "cost": cost, "tokens": tokens}


def whole_bill(month: str) -> View:
    """All of a month in dollars."""
    return View(month, "USD", EVERYTHING)
