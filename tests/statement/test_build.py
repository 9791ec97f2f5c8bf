"""Statements of bills that the demo does not have."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback.dimensions import CHARGED
from chargeback.money import CENT, exact_sum
from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.statement.build import build_statement
from chargeback.workspace import Workspace
from tests.bills import exported, whole

MONTH = "2026-10"
TODAY = date(2026, 11, 23)
LARGE = (Decimal(10**17), Decimal("0.123456789012"), Decimal("-0.023456789013"))
"""Their sum has 30 digits: two more than Python adds up unless told to."""


def answers_on(costs: tuple[Decimal, ...], folder: Path) -> Answers:
    """The reports over an export of one line for each of `costs`, each of another account."""
    lines = [
        {
            "bill_billing_entity": "AWS",
            "line_item_currency_code": "USD",
            "line_item_line_item_type": "Usage",
            "line_item_product_code": "AmazonBedrock",
            "line_item_unblended_cost": cost,
            "line_item_usage_account_id": f"{number:012}",
            "line_item_usage_start_date": datetime(2026, 10, 3),
            "line_item_usage_type": "USE1-NovaPro-input-tokens",
        }
        for number, cost in enumerate(costs)
    ]
    file = folder / "cur" / "export" / "data" / f"BILLING_PERIOD={MONTH}" / "1.parquet"
    file.parent.mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(lines), file)
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def test_no_digit_of_a_sum_is_lost() -> None:
    assert exact_sum(LARGE) == Decimal("100000000000000000.099999999999")
    assert exact_sum([]) == 0


@pytest.mark.parametrize("by", CHARGED)
def test_a_bill_longer_than_pythons_decimals_ties(by: str, tmp_path: Path) -> None:
    statement = build_statement(answers_on(LARGE, tmp_path), whole(MONTH), by, TODAY)
    assert statement.bill == {"USD": exact_sum(LARGE)}
    assert statement.difference("USD") == 0
    assert statement.charges[-1].bill_to == "(unallocated)"


def test_the_manifest_adds_up_the_detail_to_the_last_digit(tmp_path: Path) -> None:
    files = exported(answers_on(LARGE, tmp_path), whole(MONTH), "account", TODAY, tmp_path / "out")
    (totals,) = json.loads(files.manifest.read_text("utf-8"))["totals"]
    assert totals["bill"] == totals["detail"] == f"{exact_sum(LARGE):f}"
    assert totals["detail_difference"] == f"{CENT * 0:f}"
