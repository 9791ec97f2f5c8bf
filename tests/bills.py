"""Small bills, written line by line as AWS writes them, and their lines read back without SQL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from chargeback.access.rows import EVERYTHING
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.sources.base import Extract, StoreKnowledge
from chargeback.sources.cur2 import COLUMN_TYPES, TAG_MAP
from chargeback.sources.local.files import LocalFiles
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, build_statement
from chargeback.statement.export import ExportFiles, write_export

Line = dict[str, Any]
MONTH = "2026-10"
PAYER, OTHER_PAYER = "999900000001", "999900000002"
WRITTEN = datetime(2026, 11, 5, 6, 0, tzinfo=UTC)
"""When AWS wrote the files, unless a test says otherwise."""
KINDS = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    TAG_MAP: pa.map_(pa.string(), pa.string()),
}
NONE_FOLDED: dict[str, Any] = {"folded_roles": [], "kept_sessions": [], "named_by_sdk": "^$"}
"""What single lines are asked with where each session is kept as billed."""
SCHEMA = pa.schema([(name, KINDS[kind]) for name, kind in COLUMN_TYPES.items()])


def line(cost: str | Decimal, type_: str = "Usage", **columns: Any) -> Line:  # noqa: ANN401
    """A Bedrock line of October 2026, invoiced, of one payer, without a net cost.

    Args:
        cost: unblended.
        type_: the line item type.
        columns: short names of what differs: net, payer, account, currency, invoice, day, tenant,
            team, cost_center, principal, product_code; or a column of CUR 2.0 by its own name.
    """
    short = {
        "net": "line_item_net_unblended_cost",
        "payer": "bill_payer_account_id",
        "account": "line_item_usage_account_id",
        "currency": "line_item_currency_code",
        "invoice": "bill_invoice_id",
        "principal": "line_item_iam_principal",
        "product_code": "line_item_product_code",
    }
    tags = {
        f"iamPrincipal/{key.replace('_', '-')}": columns.pop(key)
        for key in ("tenant", "team", "project", "cost_center")
        if key in columns
    }
    day = columns.pop("day", 3)
    if columns.get("net") is not None:
        columns["net"] = Decimal(columns["net"])
    return {
        "bill_billing_entity": "AWS",
        "bill_invoice_id": "INV-1",
        "bill_payer_account_id": PAYER,
        "line_item_currency_code": "USD",
        "line_item_iam_principal": "arn:aws:iam::111122223333:role/app",
        "line_item_legal_entity": "Amazon Web Services, Inc.",
        "line_item_line_item_description": f"{type_} of Bedrock",
        "line_item_line_item_type": type_,
        "line_item_operation": "InvokeModelInference",
        "line_item_product_code": "AmazonBedrock",
        "line_item_unblended_cost": Decimal(cost),
        "line_item_usage_account_id": "111122223333",
        "line_item_usage_account_name": "shop",
        "line_item_usage_amount": 1.0,
        "line_item_usage_end_date": datetime(2026, 10, day, 13),
        "line_item_usage_start_date": datetime(2026, 10, day, 12),
        "line_item_usage_type": "USE1-NovaPro-input-tokens",
        "pricing_unit": "1K tokens",
        "product": {},
        "product_region_code": "us-east-1",
        "product_servicecode": "AmazonBedrock",
        "tags": tags,
        **{short.get(name, name): value for name, value in columns.items()},
    }


def write_bill(
    folder: Path, months: Mapping[str, Sequence[Line]], written: datetime = WRITTEN
) -> Path:
    """An export with these months below `folder`; a month that is there is replaced."""
    for month, lines in months.items():
        file = file_of(folder, month)
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [{name: _as_written(each.get(name)) for name in SCHEMA.names} for each in lines]
        parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), file)
        os.utime(file, (written.timestamp(), written.timestamp()))
    return folder


def file_of(folder: Path, month: str) -> Path:
    """The one data file of a month."""
    return folder / "bill" / "data" / f"BILLING_PERIOD={month}" / "bill-00001.snappy.parquet"


def _as_written(value: object) -> object:
    """AWS writes amounts as doubles and maps as lists of pairs."""
    if isinstance(value, Decimal):
        return float(value)
    return list(value.items()) if isinstance(value, dict) else value


def lines_of(files: Sequence[Path]) -> list[Line]:
    """The lines of CUR files: costs as the decimals that AWS wrote, tags as a dict."""
    found = [row for file in files for row in _rows(file)]
    for row in found:
        for name in ("line_item_unblended_cost", "line_item_net_unblended_cost"):
            row[name] = None if row.get(name) is None else Decimal(repr(row[name]))
        row["tags"] = {key: value or "" for key, value in row.get("tags") or []}
        row["product"] = dict(row.get("product") or [])
    return found


def _rows(file: Path) -> list[Line]:
    rows: list[Line] = parquet.read_table(file, partitioning=None).to_pylist()
    return rows


class CountedFiles(LocalFiles):
    """Local files that remember which months were read of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[str] = []

    def extract(
        self, billing_period: str, out: Path, known: StoreKnowledge, stop: Event | None = None
    ) -> Extract:
        self.read.append(billing_period)
        return super().extract(billing_period, out, known, stop)


def write_manifest_again(cur: Path, month: str = "*") -> None:
    """As AWS does after all data files: what is newer than its manifest is still being written."""
    for manifest in cur.glob(f"*/metadata/BILLING_PERIOD={month}/*-Manifest.json"):
        manifest.touch()


def whole(month: str) -> View:
    """All of a month, in all currencies."""
    return View.of_month(month, EVERYTHING)


def exported(
    answers: Answers,
    view: View,
    by: str,
    today: date,
    out: Path,
    allocation: AllocationSettings = DIRECT,
) -> ExportFiles:
    """The files of a month's statement, as the command line and the buttons write them."""
    return write_export(answers, build_statement(answers, view, by, today, allocation), out)
