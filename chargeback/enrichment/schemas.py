"""Names and types of what the statements give, the same whichever engine runs them."""

from __future__ import annotations

from functools import lru_cache

import duckdb
import pyarrow as pa

from chargeback import query
from chargeback.enrichment.local import IDENTITY_MEANING, METER_MEANING
from chargeback.sources.cur2 import result_schema


@lru_cache(maxsize=64)
def shape_of(name: str, spend: str = "spend") -> pa.Schema:
    """What DuckDB says of the result of queries/NAME.sql over empty tables.

    Args:
        name: of spend/ or reports/.
        spend: what it reads as `spend`: the store's spend, or the daily or monthly rows.
    """
    tables = {"identity_meaning": IDENTITY_MEANING, "meter_meaning": METER_MEANING}
    with duckdb.connect() as connection:
        for table, schema in {
            **tables,
            "spend": table_shape(spend),
            "in_force": table_shape("spend"),
        }.items():
            connection.register(table, schema.empty_table())
        tree = query.load(name)
        nothing = dict.fromkeys(query.parameters(tree))
        return connection.sql(query.render(tree, "duckdb"), params=nothing).to_arrow_table().schema


def table_shape(table: str) -> pa.Schema:
    """The columns of one of the store's tables."""
    match table:
        case "spend":
            return result_schema("daily_spend")
        case "daily":
            return shape_of("spend/meaning")
        case "monthly":
            return shape_of("spend/monthly", "daily")
        case "identity_meaning":
            return IDENTITY_MEANING
        case _:
            return METER_MEANING
