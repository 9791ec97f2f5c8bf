"""FOCUS files of small bills, and their rows read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyarrow import parquet

from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import Statement, build_statement
from chargeback.statement.focus.columns import Version
from chargeback.statement.focus.write import FocusFiles, write_focus
from tests.bills import MONTH, Line, line, whole
from tests.statement.units import TODAY, answers_on

HOSTILE = '=HYPERLINK("http://example.com")'
PROJECT = "arn:aws:bedrock:us-east-1:111122223333:project/p"
GATEWAY = "arn:aws:sts::111122223333:assumed-role/gateway/session"
RULES = AllocationSettings.model_validate(
    {
        "tax": "usage",
        "discount": "usage",
        "rules": [
            {
                "id": "gateway",
                "name": "Untagged gateway traffic",
                "take": {"principal": "arn:aws:iam::*:role/gateway"},
                "by": "direct cost",
            },
            {"id": "tax+", "take": {"line_type": "Tax"}, "by": "even"},
        ],
    }
)
"""What follows usage, then two rules; the second takes tax that came to nobody."""
EVERY_KIND = [
    line("10.01", tenant="acme-corp", day=3),
    line("0.0000000001", tenant="acme-corp", day=4),
    line(
        "20.5", tenant=HOSTILE, day=4, line_item_resource_id="arn:aws:bedrock:us-east-1:1:project/p"
    ),
    line("3.333333333", principal=GATEWAY, day=5, line_item_usage_amount=7.0),
    line("1.0000000007", principal=GATEWAY, day=6),
    line("2.50", principal="", day=7),
    line("7.77", "Tax", principal=""),
    line("-1.11", "EdpDiscount", principal=""),
    line("-4", "Credit", tenant="acme-corp"),
    line("-0.123456789", "Refund", principal=""),
    line("30", "Fee", tenant="acme-corp", line_item_usage_type=""),
    line("0.5", "SomethingNew", tenant="acme-corp"),
    line("9", currency="EUR", tenant="acme-corp", account="", invoice=""),
    line(
        "12.34",
        tenant=HOSTILE,
        bill_billing_entity="AWS Marketplace",
        line_item_legal_entity="Anthropic, PBC",
        product={"product_name": "Claude (Amazon Bedrock Edition)"},
        product_code="5onq1",
        pricing_unit="",
    ),
]


def made(
    folder: Path,
    version: Version,
    rules: AllocationSettings = RULES,
    lines: Sequence[Line] = EVERY_KIND,
) -> tuple[Statement, FocusFiles]:
    """The statement of October by tenant, and its files below `folder`."""
    answers = answers_on(folder, {MONTH: lines})
    statement = build_statement(answers, whole(MONTH), "tenant", TODAY, rules)
    return statement, write_focus(answers, statement, version, folder / "out")


def rows_of(files: FocusFiles) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(files.parquet).to_pylist()
    return rows
