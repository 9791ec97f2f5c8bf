"""What a CUR 2.0 table may look like, and what can't be told when it lacks a column.

Source: AWS Data Exports User Guide, "Cost and Usage Report (CUR) 2.0": columns are named by the
export's owner, so a table may lack any of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.money import exact_sum
from chargeback.notices import COLUMNS, Notice, column_missing, notice

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

REQUIRED = (
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_unblended_cost",
    "line_item_usage_start_date",
    "line_item_usage_type",
)


@dataclass(frozen=True, slots=True)
class SourcePeriod:
    """One billing period as its source holds it now."""

    billing_period: str
    """YYYY-MM."""
    version: str
    """Changes when, and only when, the source's data of this period may have changed."""
    data_as_of: datetime
    """When AWS last wrote the period (UTC)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows already that decides how a period is read."""

    products: frozenset[tuple[str, str]] = frozenset()
    """Payer account and product code of what lines of other periods show to be Bedrock."""
    exports: tuple[str, ...] = ()
    """Names of the exports of which the period was made last."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What reading one billing period took, and what it found."""

    notices: tuple[Notice, ...]
    products: tuple[tuple[str, str], ...] = ()
    """Payer account and product code of all that counted as Bedrock without a code that says so."""
    unexplained: tuple[tuple[str, str], ...] = ()
    """The same of Marketplace products that no line of the period names; they are left out."""
    exports: tuple[str, ...] = ()
    """Names of the exports that were read."""
    query_ids: tuple[str, ...] = ()
    bytes_scanned: int = 0


class Source(Protocol):
    """Where a bill comes from. Both kinds run the same statements."""

    name: str
    """For people: 'CUR 2.0 files'."""
    source_id: str
    """Tells two bills apart; equal for the same folder or table."""
    engine: str
    recheck_seconds: int
    """How long an answer of `periods` is good for while pages are shown."""
    is_charged: bool
    """Whether reading costs money."""
    parallel: int
    """How many periods may be read at a time."""

    def periods(self) -> list[SourcePeriod]:
        """The billing periods that the source holds, newest first. Raises SourceProblem."""

    def notices(self) -> tuple[Notice, ...]:
        """What is odd about the bill as a whole, as of the last look at its periods."""

    def extract(
        self, billing_period: str, out: Path, known: Known, stop: Event | None = None
    ) -> Extract:
        """Writes one period's daily spend to the Parquet file `out`. Raises SourceProblem.

        Once `stop` is set nobody waits for it: what costs money is to be cancelled.
        """

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number: queries/cur/lines.sql. Raises SourceProblem."""


def fitted(statement: str, columns: Collection[str]) -> exp.Expr:
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


@dataclass(frozen=True, slots=True)
class Products:
    """What the rows of queries/cur/products.sql, and the store, say of a period's products."""

    bedrock: tuple[tuple[str, str], ...]
    """Payer account and product code of what is Bedrock without a code that says so."""
    unexplained: tuple[tuple[str, str], ...]
    """The same of Marketplace products that no line names."""
    notices: tuple[Notice, ...]

    @property
    def keys(self) -> list[str]:
        """The parameter `products` of the statements."""
        return product_keys(self.bedrock)


def product_keys(products: Iterable[tuple[str, str]]) -> list[str]:
    """Payer accounts and product codes as the parameter `products` takes them."""
    return ["|".join(product) for product in products]


def sorted_products(rows: Sequence[dict[str, Any]], known: Known) -> Products:
    """Tells Bedrock's products from the unexplained.

    Args:
        rows: of queries/cur/products.sql.
        known: what lines of other periods showed to be Bedrock.
    """
    bedrock = {_product(row) for row in rows if row["is_bedrock"]}
    bedrock |= {_product(row) for row in rows} & known.products
    explained = bedrock | {_product(row) for row in rows if row["is_named"]}
    left_out = [row for row in rows if _product(row) not in explained]
    return Products(
        tuple(sorted(bedrock)),
        tuple(sorted({_product(row) for row in left_out})),
        tuple(_unexplained(left_out)),
    )


def _product(row: dict[str, Any]) -> tuple[str, str]:
    return row["payer_account_id"], row["product_code"]


def _unexplained(left_out: Sequence[dict[str, Any]]) -> Iterator[Notice]:
    for currency in sorted({row["currency"] for row in left_out}):
        rows = [row for row in left_out if row["currency"] == currency]
        yield notice(
            "products-unexplained",
            lines=sum(row["line_count"] for row in rows),
            amount=exact_sum(row["cost"] for row in rows),
            currency=currency,
            codes=", ".join(sorted({row["product_code"] for row in rows})),
        )


@lru_cache(maxsize=4)
def result_schema(statement: str) -> pa.Schema:
    """Names and types of a statement's result: what DuckDB says of it over an empty table.

    So that a period has the same types whichever source it was read from, and has them even when
    Athena writes no file because no line is Bedrock's.
    """
    tree = query.load(f"cur/{statement}")
    columns = {"billing_period": "VARCHAR", **COLUMN_TYPES}
    nulls = [
        exp.alias_(exp.cast(exp.null(), type_, dialect="athena"), column)
        for column, type_ in columns.items()
    ]
    with duckdb.connect() as connection:
        connection.sql(query.render(exp.select(*nulls).limit(0), "duckdb")).create_view("cur")
        nothing = dict.fromkeys(query.parameters(tree))
        return connection.sql(query.render(tree, "duckdb"), params=nothing).to_arrow_table().schema
