"""Names and types of what a statement gives, the same whichever engine runs it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import pyarrow as pa

from chargeback import database, query


def schema_of(name: str, tables: Mapping[str, pa.Schema]) -> pa.Schema:
    """What DuckDB says of the result of queries/NAME.sql over empty tables.

    Args:
        name: of the statement, below queries/.
        tables: the relations that it reads.
    """
    return _schema_of(name, tuple(tables.items()))


@lru_cache(maxsize=64)
def _schema_of(name: str, tables: tuple[tuple[str, pa.Schema], ...]) -> pa.Schema:
    tree = query.load(name)
    with database.connect() as connection:
        for table, schema in tables:
            connection.register(table, schema.empty_table())
        nothing = dict.fromkeys(query.parameters(tree))
        return connection.sql(query.render(tree, "duckdb"), params=nothing).to_arrow_table().schema
