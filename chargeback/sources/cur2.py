"""What a CUR 2.0 table may look like, and what can't be told when it lacks a column.

Source: AWS Data Exports User Guide, "Cost and Usage Report (CUR) 2.0": columns are named by the
export's owner, so a table may lack any of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

import pyarrow as pa
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.notices import COLUMNS, Notice, column_missing, notice
from chargeback.query_schema import schema_of

TAG_MAP = "MAP(VARCHAR, VARCHAR)"

COLUMN_TYPES = {
    "bill_billing_entity": "VARCHAR",
    "bill_invoice_id": "VARCHAR",
    "bill_payer_account_id": "VARCHAR",
    "cost_category": TAG_MAP,
    "identity_line_item_id": "VARCHAR",
    "line_item_currency_code": "VARCHAR",
    "line_item_iam_principal": "VARCHAR",
    "line_item_legal_entity": "VARCHAR",
    "line_item_line_item_description": "VARCHAR",
    "line_item_line_item_type": "VARCHAR",
    "line_item_net_unblended_cost": "DOUBLE",
    "line_item_operation": "VARCHAR",
    "line_item_product_code": "VARCHAR",
    "line_item_resource_id": "VARCHAR",
    "line_item_unblended_cost": "DOUBLE",
    "line_item_usage_account_id": "VARCHAR",
    "line_item_usage_account_name": "VARCHAR",
    "line_item_usage_amount": "DOUBLE",
    "line_item_usage_end_date": "TIMESTAMP",
    "line_item_usage_start_date": "TIMESTAMP",
    "line_item_usage_type": "VARCHAR",
    "pricing_unit": "VARCHAR",
    "product": TAG_MAP,
    "product_region_code": "VARCHAR",
    "product_servicecode": "VARCHAR",
    "resource_tags": TAG_MAP,
    "tags": TAG_MAP,
}
"""Every column that a statement may name, with its type in Athena."""

NESTED = re.compile("(?:(product)_product_name|(tags|resource_tags|cost_category)_.+)")
"""Columns that stand for one key of a map. An export's owner may select keys instead of a whole
map, which is AWS's own way to keep the columns of the older report. Of the columns that begin with
`product_` only the name is such a key: CUR 2.0 has the others of itself."""

ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    TAG_MAP: pa.map_(pa.string(), pa.string()),
}
TABLE_SCHEMA = pa.schema(
    [(column, ARROW_TYPES[type_]) for column, type_ in COLUMN_TYPES.items()]
    + [("billing_period", pa.string())]
)

REQUIRED = (
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_unblended_cost",
    "line_item_usage_start_date",
    "line_item_usage_type",
)


def fit(statement: str, columns: Collection[str]) -> exp.Expr:
    """A statement of queries/cur for a table with these columns.

    Raises:
        SourceProblem: the table lacks a column without which no bill can be read.
    """
    check_columns(columns)
    stand_ins = {
        column: query.map_of({key: exp.column(name, quoted=True) for key, name in keys.items()})
        for column, keys in nested_keys(columns).items()
    }
    return query.with_missing_columns(
        query.load(f"cur/{statement}"), "cur", columns, COLUMN_TYPES, stand_ins
    )


def check_columns(columns: Collection[str]) -> None:
    """Sees that a table has what no bill can be without.

    Raises:
        SourceProblem: a column is missing.
    """
    present = {column.lower() for column in columns}
    missing = [column for column in REQUIRED if column not in present]
    if missing:
        raise SourceProblem(
            f"This export lacks {', '.join(missing)}.",
            "Without that the bill can't be read, so no figure is shown for it.",
            "Add the column in Data Exports, or point to a CUR 2.0 export.",
        )


def nested_keys(columns: Collection[str]) -> dict[str, dict[str, str]]:
    """The maps that a table has as columns: for each its keys, and the column of each key."""
    present = {column.lower() for column in columns}
    found: dict[str, dict[str, str]] = {}
    for column in sorted(columns):
        if parts := NESTED.fullmatch(column.lower()):
            name = parts[1] or parts[2]
            if name not in present:
                # The key keeps the case that the column has.
                found.setdefault(name, {})[column[len(name) + 1 :]] = column
    return found


def missing_columns(columns: Collection[str]) -> tuple[Notice, ...]:
    """What a reader must know of a table with these columns: what it lacks, or has otherwise."""
    nested = nested_keys(columns)
    present = {column.lower() for column in columns} | set(nested)
    return (
        *(column_missing(column) for column in COLUMNS if column not in present),
        *(
            notice("column-nested", column=column, columns=", ".join(keys.values()))
            for column, keys in nested.items()
        ),
    )


@lru_cache(maxsize=4)
def result_schema(statement: str) -> pa.Schema:
    """Names and types of a result of queries/cur.

    So that a period has the same types whichever source it was read from, and has them even when
    Athena writes no file because no line is Bedrock's.
    """
    return schema_of(f"cur/{statement}", {"cur": TABLE_SCHEMA})
