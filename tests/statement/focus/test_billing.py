"""A closed month's billing period and invoices: exact, and nothing in them that is not known."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from chargeback.errors import Problem
from chargeback.statement.focus.billing import ClosedPeriod, Issued, write_billing
from tests.bills import MONTH, OTHER_PAYER, PAYER, Line, line, whole
from tests.statement.focus.dataset import EVERY_KIND, HOSTILE, made, rows_of
from tests.statement.units import answers_on

FIRST_CLOSED, CLOSED = datetime(2026, 11, 6, 9, 0, 1, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)
AWS, MARKETPLACE = ("AWS", "INV-1"), ("AWS Marketplace", "INV-1")
"""Of tests.bills: the one invoice id that it knows, which here two sellers have given."""
INVOICES = {
    AWS: Issued("INVOICE", date(2026, 11, 3), date(2026, 12, 3)),
    MARKETPLACE: Issued("CREDIT_MEMO", date(2026, 11, 4), None),
}


def bill_of(lines: Sequence[Line]) -> dict[str, Decimal]:
    bill: dict[str, Decimal] = defaultdict(Decimal)
    for each in lines:
        bill[each["line_item_currency_code"]] += each["line_item_unblended_cost"]
    return dict(bill)


def written(
    folder: Path,
    lines: Sequence[Line] = EVERY_KIND,
    invoices: Mapping[tuple[str, str], Issued] = INVOICES,
    bill: Mapping[str, Decimal] | None = None,
) -> list[Path]:
    """The files of October: the billing period's, then the invoices'; each as Parquet and CSV."""
    period = ClosedPeriod(FIRST_CLOSED, CLOSED, bill or bill_of(lines), invoices)
    answers = answers_on(folder, {MONTH: lines})
    return write_billing(answers, whole(MONTH), period, folder / "out")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return written(tmp_path_factory.mktemp("billing"))


def read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return rows


def details(files: Sequence[Path]) -> list[dict[str, Any]]:
    return read(files[2])


def test_the_files_are_named_by_dataset_and_month(files: list[Path]) -> None:
    assert [file.name for file in files] == [
        "focus-billing-period-2026-10.parquet",
        "focus-billing-period-2026-10.csv",
        "focus-invoice-detail-2026-10.parquet",
        "focus-invoice-detail-2026-10.csv",
    ]
    assert sorted(files) == sorted(files[0].parent.iterdir())


def test_all_rows_add_up_to_the_bill_to_the_last_digit(files: list[Path]) -> None:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in details(files):
        found[row["BillingCurrency"]] += row["BilledCost"]
    assert found == bill_of(EVERY_KIND)


def test_each_row_is_what_the_charges_of_its_kind_come_to(
    files: list[Path], tmp_path: Path
) -> None:
    names = ("BillingAccountId", "BillingCurrency", "ChargeCategory", "InvoiceId")
    charges: dict[tuple[str | None, ...], Decimal] = defaultdict(Decimal)
    for row in rows_of(made(tmp_path, "1.3")[1]):
        seller = (row["x_BillingEntity"], row["x_LegalEntity"])
        charges[(*(row[name] for name in names), *seller)] += row["BilledCost"]
    found = {}
    for row in details(files):
        grain = json.loads(row["InvoiceDetailGrain"])
        seller = (grain["x_BillingEntity"], grain["x_LegalEntity"])
        found[(*(row[name] for name in names), *seller)] = row["BilledCost"]
    assert found == charges
    # Of AWS: five kinds of charges, and usage in euros without an invoice. One of Anthropic.
    assert len(found) == 7


def test_a_row_says_what_is_known_of_its_invoice(files: list[Path]) -> None:
    found = {
        (row["BillingCurrency"], json.loads(row["InvoiceDetailGrain"])["x_BillingEntity"]): row
        for row in details(files)
        if row["ChargeCategory"] == "Usage"
    }
    names = ("InvoiceId", "InvoiceIssueStatus", "InvoiceIssueDate", "PaymentDueDate")
    assert [found["USD", "AWS"][name] for name in names] == [
        "INV-1",
        "Issued",
        datetime(2026, 11, 3, tzinfo=UTC),
        datetime(2026, 12, 3, tzinfo=UTC),
    ]
    assert [found["USD", "AWS Marketplace"][name] for name in names] == [
        "INV-1",
        "Issued",
        datetime(2026, 11, 4, tzinfo=UTC),
        None,
    ]
    assert [found["EUR", "AWS"][name] for name in names] == [None, "Open", None, None]


def test_only_an_invoices_own_charges_are_said_to_correct_no_other(files: list[Path]) -> None:
    found = {
        (row["ChargeCategory"], json.loads(row["InvoiceDetailGrain"])["x_BillingEntity"]): row
        for row in details(files)
        if row["BillingCurrency"] == "USD"
    }
    assert {key: row["ReferenceInvoiceId"] for key, row in found.items()} == {
        ("Usage", "AWS"): "INV-1",
        ("Purchase", "AWS"): "INV-1",
        ("Tax", "AWS"): "INV-1",
        ("Credit", "AWS"): None,
        ("Adjustment", "AWS"): None,
        ("Usage", "AWS Marketplace"): None,  # a credit memo
    }


def test_what_no_close_knows_is_null(files: list[Path], tmp_path: Path) -> None:
    never = ("InvoiceDetailDescription", "PaymentTerms", "PurchaseOrderNumber")
    assert {row[name] for row in details(files) for name in never} == {None}
    without = details(written(tmp_path, invoices={}))
    names = ("InvoiceIssueDate", "PaymentDueDate", "ReferenceInvoiceId")
    assert {row[name] for row in without for name in names} == {None}
    assert [row["BilledCost"] for row in without] == [row["BilledCost"] for row in details(files)]


def test_a_period_is_closed_once_all_its_invoices_are_issued(
    files: list[Path], tmp_path: Path
) -> None:
    open_: dict[str, object] = {
        "BillingPeriodCreated": FIRST_CLOSED,
        "BillingPeriodEnd": datetime(2026, 11, 1, tzinfo=UTC),
        "BillingPeriodLastUpdated": CLOSED,
        "BillingPeriodStart": datetime(2026, 10, 1, tzinfo=UTC),
        "BillingPeriodStatus": "Open",
        "InvoiceIssuerName": "AWS",
    }
    assert read(files[0]) == [open_]
    # A line that costs nothing needs no invoice.
    issued = [line("1.25"), line("0", invoice="")]
    assert read(written(tmp_path, issued)[0]) == [{**open_, "BillingPeriodStatus": "Closed"}]


def test_every_row_has_an_id_that_a_later_close_gives_it_again(
    files: list[Path], tmp_path: Path
) -> None:
    ids = [row["InvoiceDetailId"] for row in details(files)]
    assert len(set(ids)) == len(ids)
    assert all(each.startswith("chargeback-2026-10-") for each in ids)
    later = written(tmp_path, [*EVERY_KIND, line("1")])
    assert [row["InvoiceDetailId"] for row in details(later)] == ids


def test_two_payers_of_one_invoice_are_told_apart_and_what_cancels_out_is_no_row(
    tmp_path: Path,
) -> None:
    lines = [
        line("1.10"),
        line("2.20", payer=OTHER_PAYER),
        line("5", "Tax"),
        line("-5", "Tax"),
        line("0.30", currency="EUR"),
        line("-0.30", "Credit", currency="EUR"),
    ]
    rows = details(written(tmp_path, lines))
    found = {
        (row["BillingAccountId"], row["ChargeCategory"], row["BillingCurrency"]): row["BilledCost"]
        for row in rows
    }
    assert found == {
        (PAYER, "Usage", "USD"): Decimal("1.10"),
        (OTHER_PAYER, "Usage", "USD"): Decimal("2.20"),
        (PAYER, "Usage", "EUR"): Decimal("0.30"),
        (PAYER, "Credit", "EUR"): Decimal("-0.30"),
    }
    assert len({row["InvoiceDetailId"] for row in rows}) == len(rows) == len(found)


def test_the_csv_file_holds_the_same_with_text_that_no_spreadsheet_runs(tmp_path: Path) -> None:
    lines = [line("1.000000000007", line_item_legal_entity=HOSTILE, invoice="=1+1")]
    period, period_csv, detail, detail_csv = written(tmp_path, lines)
    for table, text in ((period, period_csv), (detail, detail_csv)):
        (row,) = read(table)
        with text.open(encoding="utf-8-sig", newline="") as opened:
            (found,) = csv.DictReader(opened)
        assert list(found) == list(row)
        assert found["BillingPeriodEnd"] == "2026-11-01T00:00:00Z"
    assert row["InvoiceId"] == "=1+1"
    assert found["InvoiceId"] == "'=1+1"
    assert Decimal(found["BilledCost"]) == row["BilledCost"] == Decimal("1.000000000007")
    assert json.loads(found["InvoiceDetailGrain"])["x_LegalEntity"] == HOSTILE


def test_what_does_not_add_up_to_the_closed_bill_is_not_written(tmp_path: Path) -> None:
    closed = bill_of(EVERY_KIND)
    closed["USD"] += Decimal("0.000000000001")
    with pytest.raises(Problem, match="do not add up to the bill that was closed"):
        written(tmp_path, bill=closed)
    assert not (tmp_path / "out").exists()
