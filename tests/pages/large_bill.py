"""A month of a large organisation: as many tenants and sessions as lines."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

UNTAGGED = 100
"""Lines without a tenant, as small as the smallest."""
_TEXTS = {
    "bill_bill_type": "Anniversary",
    "bill_billing_entity": "AWS",
    "bill_invoice_id": "INV1",
    "bill_payer_account_id": "999900000001",
    "line_item_currency_code": "USD",
    "line_item_line_item_description": "input tokens",
    "line_item_line_item_type": "Usage",
    "line_item_operation": "InvokeModelInference",
    "line_item_product_code": "AmazonBedrock",
    "line_item_usage_account_id": "111122223333",
    "line_item_usage_type": "USE1-Claude4.6Sonnet-input-tokens",
    "pricing_currency": "USD",
    "pricing_unit": "1K tokens",
    "product_region_code": "us-east-1",
    "product_servicecode": "AmazonBedrock",
}
_TIMES = {
    "bill_billing_period_start_date": datetime(2026, 10, 1),
    "bill_billing_period_end_date": datetime(2026, 11, 1),
    "line_item_usage_start_date": datetime(2026, 10, 5, 3),
    "line_item_usage_end_date": datetime(2026, 10, 5, 4),
}
_MAP = pa.map_(pa.string(), pa.string())


def write_large_bill(out: Path, lines: int) -> None:
    """Writes one month; line n is session n's and tenant n's, and costs 0.01 and n millionths."""
    numbers = range(lines)
    costs = pa.array([0.01 + n / 1e6 for n in numbers])
    columns: dict[str, Any] = {
        "identity_line_item_id": pa.array([f"line-{n}" for n in numbers]),
        "line_item_iam_principal": pa.array([_session(n) for n in numbers]),
        "line_item_net_unblended_cost": costs,
        "line_item_unblended_cost": costs,
        "line_item_usage_amount": pa.array([10.0] * lines),
        "tags": pa.array([_tags(n) for n in numbers], _MAP),
        "product": pa.array([[("product_name", "Amazon Bedrock")]] * lines, _MAP),
        **{name: pa.array([text] * lines) for name, text in _TEXTS.items()},
        **{name: pa.array([time] * lines, pa.timestamp("ms")) for name, time in _TIMES.items()},
    }
    folder = out / "bill" / "data" / "BILLING_PERIOD=2026-10"
    folder.mkdir(parents=True)
    parquet.write_table(pa.table(columns), folder / "bill-00001.snappy.parquet")


def _session(number: int) -> str:
    return f"arn:aws:sts::111122223333:assumed-role/App/s{number}"


def _tags(number: int) -> list[tuple[str, str]]:
    return [("iamPrincipal/tenant", f"tenant-{number}")] if number >= UNTAGGED else []
