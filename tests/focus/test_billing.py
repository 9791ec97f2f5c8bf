"""A closed month's billing period and invoices in a validator of FOCUS 1.4."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback.demo import write_demo
from chargeback.settings import Settings
from chargeback.statement.focus.billing import ClosedPeriod, Issued, write_billing
from chargeback.statement.focus.columns import BILLING_PERIOD, INVOICE_DETAIL
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, whole
from tests.focus.programs import BIN, run
from tests.statement.focus.dataset import made
from tests.statement.focus.test_billing import INVOICES, written

DATASETS = {"billing-period": BILLING_PERIOD, "invoice-detail": INVOICE_DETAIL}
LEFT_OUT = {"PaymentCurrency", "PaymentCurrencyBilledCost", "PaymentCurrencyInvoiceDetailId"}
"""As chargeback/statement/focus/columns.py says; all are conditional."""
VIOLATION = re.compile(r"^  \[\w+:(\w+)\] (\w+)", re.MULTILINE)
TERMS = ("null_not_allowed", "PaymentTerms")
"""The Invoicing API does not tell them."""
CORRECTED = ("null_not_allowed", "ReferenceInvoiceId")
"""Nor which invoice a credit, a refund or a credit memo corrects."""
INVOICE = ("null_not_allowed", "InvoiceId")
"""None is issued yet; without these rows the file would not add up to the bill."""


def violations(dataset: str, file: Path) -> set[tuple[str, str]]:
    """The rules that a file breaks, each with its column."""
    said = run(BIN / "focus-toolkit", "validate", "--dataset", dataset, file, may_fail=True)
    found = set(VIOLATION.findall(said))
    assert found or "structural+semantic lint OK" in said
    return found


def bundle(cost_and_usage: Path, billing_period: Path, invoice_detail: Path) -> dict[str, Any]:
    """What is said of the three together."""
    said = run(
        *(BIN / "focus-toolkit", "validate-bundle", "--format", "json"),
        *("--cost-and-usage", cost_and_usage),
        *("--billing-period", billing_period),
        *("--invoice-detail", invoice_detail),
        may_fail=True,
    )
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of a bill with every kind of line, of which one has no invoice."""
    return written(tmp_path_factory.mktemp("kinds"))


def test_a_month_of_the_demo_lacks_only_what_aws_does_not_tell(tmp_path: Path) -> None:
    write_demo(tmp_path / "cur", today=date(2026, 11, 23), months=2, lines=300)
    workspace = Workspace(Settings(cur=tmp_path / "cur", store=tmp_path / "store"))
    workspace.refresh()
    answers, closed = workspace.answers(), datetime(2026, 11, 9, tzinfo=UTC)
    issued = Issued("INVOICE", date(2026, 11, 3), date(2026, 12, 3))
    invoices = {("AWS", "212026100417"): issued, ("AWS Marketplace", "EUMPUA26-102817"): issued}
    period = ClosedPeriod(closed, closed, answers.bill(MONTH).totals, invoices)
    files = write_billing(answers, whole(MONTH), period, tmp_path / "out")
    assert violations("billing-period", files[0]) == set()
    assert violations("invoice-detail", files[2]) == {TERMS, CORRECTED}


def test_every_kind_of_line_lacks_only_what_is_not_known(kinds: list[Path]) -> None:
    assert violations("billing-period", kinds[0]) == set()
    assert violations("invoice-detail", kinds[2]) == {TERMS, CORRECTED, INVOICE}


def test_usage_on_an_invoice_lacks_only_the_terms_of_payment(tmp_path: Path) -> None:
    detail = written(tmp_path, [line("1.25"), line("0.25", "Tax")], INVOICES)[2]
    assert violations("invoice-detail", detail) == {TERMS}


def test_a_file_that_is_wrong_is_found_out(kinds: list[Path], tmp_path: Path) -> None:
    rows = parquet.read_table(kinds[0]).to_pylist()
    rows[0]["BillingPeriodCreated"] = datetime(2026, 12, 31, tzinfo=UTC)
    parquet.write_table(pa.Table.from_pylist(rows, BILLING_PERIOD), tmp_path / "wrong.parquet")
    found = violations("billing-period", tmp_path / "wrong.parquet")
    assert found == {("last_updated_before_created", "BillingPeriodLastUpdated")}


def test_the_datasets_of_a_month_fit_together(kinds: list[Path], tmp_path: Path) -> None:
    charges = made(tmp_path, "1.3")[1].parquet
    found = bundle(charges, kinds[0], kinds[2])
    assert found["ok"] is True
    checks = {"billing_period_coverage", "unique_invoice_detail_ids", "split_allocation"}
    assert checks <= set(found["checks_run"])


def test_charges_of_a_period_that_is_not_there_are_found_out(
    kinds: list[Path], tmp_path: Path
) -> None:
    rows = parquet.read_table(kinds[0]).to_pylist()
    rows[0]["InvoiceIssuerName"] = "Somebody else"
    parquet.write_table(pa.Table.from_pylist(rows, BILLING_PERIOD), tmp_path / "wrong.parquet")
    found = bundle(made(tmp_path, "1.3")[1].parquet, tmp_path / "wrong.parquet", kinds[2])
    failing = [each["rule_id"] for each in found["diagnostics"] if each["severity"] == "ERROR"]
    assert failing == ["FDT-CROSS-040"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_columns_are_the_datasets_own_in_its_order(dataset: str) -> None:
    name = dataset.replace("-", " ").title()
    code = f"from focus_data_toolkit.model import dataset_columns as c; print(*c({name!r}))"
    source = run(BIN / "python", "-c", code).split()
    assert DATASETS[dataset].names == [each for each in source if each not in LEFT_OUT]
