"""Small CUR 2.0 bills on disk, written line by line, and what is read of them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from chargeback.notices import Notice
from chargeback.sources.base import Extract, StoreKnowledge
from chargeback.sources.cur2 import COLUMN_TYPES, TAG_MAP
from chargeback.sources.local.files import LocalFiles

MONTH = "2026-10"
PAYER, OTHER_PAYER = "999900000001", "999900000002"
TEXT, MAP = pa.string(), pa.map_(pa.string(), pa.string())
ARROW = {"DOUBLE": pa.float64(), "TIMESTAMP": pa.timestamp("ms"), "VARCHAR": TEXT, TAG_MAP: MAP}
SCHEMA = pa.schema([(column, ARROW[type_]) for column, type_ in COLUMN_TYPES.items()])

Row = dict[str, Any]


def line(number: int = 1, cost: Any = 1.0, **more: Any) -> Row:  # noqa: ANN401
    """A usage line of AWS's own."""
    return {
        "bill_billing_entity": "AWS",
        "bill_invoice_id": "INV1",
        "bill_payer_account_id": PAYER,
        "identity_line_item_id": f"id-{number}",
        "line_item_currency_code": "USD",
        "line_item_iam_principal": "arn:aws:iam::111122223333:user/alice",
        "line_item_line_item_type": "Usage",
        "line_item_net_unblended_cost": cost,
        "line_item_product_code": "AmazonBedrock",
        "line_item_unblended_cost": cost,
        "line_item_usage_account_id": "111122223333",
        "line_item_usage_amount": 10.0,
        "line_item_usage_start_date": datetime(2026, 10, 5, 3),
        "line_item_usage_end_date": datetime(2026, 10, 5, 4),
        "line_item_usage_type": "USE1-Claude4.6Sonnet-input-tokens",
        "product": [("product_name", "Amazon Bedrock")],
        "tags": [("iamPrincipal/team", "eng")],
        **more,
    }


def sold(number: int, cost: float, name: str | None = "Claude (Amazon Bedrock Edition)") -> Row:
    """A line that AWS Marketplace sells."""
    return line(
        number,
        cost,
        bill_billing_entity="AWS Marketplace",
        line_item_product_code="prodabcexample",
        product=[("product_name", name)] if name else [],
    )


def partition(cur: Path, export: str = "bill", month: str = MONTH, kind: str = "data") -> Path:
    """The folder of a billing period; it is made."""
    folder = cur / export / kind / f"BILLING_PERIOD={month}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def schema(without: Sequence[str] = (), **types: pa.DataType) -> pa.Schema:
    """All columns, but some, and some of another type; what is new comes last."""
    kept = {field.name: field.type for field in SCHEMA if field.name not in without}
    return pa.schema(list((kept | types).items()))


def table(rows: Sequence[Row], columns: pa.Schema = SCHEMA) -> pa.Table:
    """Rows in columns of these types."""
    given = [{field.name: row.get(field.name) for field in columns} for row in rows]
    return pa.Table.from_pylist(given, columns)


def write(folder: Path, rows: Sequence[Row], name: str = "a.parquet", **how: Any) -> Path:  # noqa: ANN401
    """Writes rows as one file; `columns` says which and of what type."""
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table(rows, how.get("columns", SCHEMA)), folder / name)
    return folder / name


def write_manifest(
    cur: Path, entries: object, delivery: str = "", name: str = "bill-Manifest.json"
) -> Path:
    """A manifest of the month that names these files."""
    folder = partition(cur, kind="metadata") / delivery
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"dataFiles": entries}))
    return folder / name


def address(file: Path) -> str:
    """Where AWS says that a file of a bill is."""
    at = file.parts.index("data")
    return f"s3://bucket/prefix/bill/{'/'.join(file.parts[at:])}"


def dated(moment: int, *files: Path) -> None:
    """Makes files that old: seconds since 2026-11-01."""
    at = datetime(2026, 11, 1).timestamp() + moment
    for file in files:
        os.utime(file, (at, at))


@dataclass(frozen=True)
class Read:
    """What was made of a month."""

    spend: list[Row]
    extract: Extract

    @property
    def total(self) -> Decimal:
        return sum((row["unblended_cost"] for row in self.spend), Decimal())

    @property
    def codes(self) -> list[str]:
        return [notice.code for notice in self.extract.notices]

    def values(self, column: str) -> set[Any]:
        return {row[column] for row in self.spend}

    def notice(self, code: str) -> Notice:
        (found,) = [notice for notice in self.extract.notices if notice.code == code]
        return found


def read(source: LocalFiles | Path, known: StoreKnowledge | None = None) -> Read:
    """Reads the month of a folder."""
    files = source if isinstance(source, LocalFiles) else LocalFiles(source)
    out = files.folder / "spend.out"
    extract = files.extract(MONTH, out, known or StoreKnowledge())
    return Read(parquet.read_table(out).to_pylist(), extract)


def changed(rows: Sequence[Row], column: str, values: Sequence[Any]) -> list[Row]:
    """The rows with these values in a column."""
    return [{**row, column: value} for row, value in zip(rows, values, strict=True)]
