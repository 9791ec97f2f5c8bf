"""What a close knows for FOCUS: when it was made, the invoices of then; closed months only."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from chargeback.cli.main import main
from chargeback.closing.focus_period import closed_period
from chargeback.demo import write_demo
from chargeback.demo.billing_api import BillingApi
from chargeback.statement.focus.billing import Issued
from tests.closing.conftest import AUGUST, OCTOBER, SEPTEMBER, Company


def test_only_a_closed_month_has_a_billing_period_and_invoices(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.close(AUGUST)
    for name in ("cur", "store", "ledger"):
        monkeypatch.setenv(f"CHARGEBACK_{name.upper()}", str(company.folder / name))
    monkeypatch.chdir(tmp_path)
    found = {}
    for month in (AUGUST, SEPTEMBER):
        to = tmp_path / "out" / month
        ask = ("--month", month, "--by", "tenant", "--version", "1.3", "--out", str(to))
        assert main(("focus", *ask)) == 0
        found[month] = {path.name for path in to.iterdir()}
    charges = {"focus-1.3-tenant-{}.parquet", "focus-1.3-tenant-{}.csv"}
    charges |= {"focus-methods-tenant-{}.json"}
    billing = {
        f"focus-{dataset}-{{}}.{suffix}"
        for dataset in ("billing-period", "invoice-detail")
        for suffix in ("parquet", "csv")
    }
    assert found == {
        AUGUST: {name.format(AUGUST) for name in charges | billing},
        SEPTEMBER: {name.format(SEPTEMBER) for name in charges},
    }


def test_a_period_was_made_by_its_first_close_and_updated_by_its_last(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.close(AUGUST)
    first = company.statements().book.require(AUGUST).record.when
    later = first.replace(year=first.year + 1)
    company.reopen(AUGUST)
    monkeypatch.setattr("chargeback.closing.close.now", lambda: later)
    company.close(AUGUST)
    book = company.statements().book
    period = closed_period(book, book.require(AUGUST))
    assert (period.first_closed, period.closed) == (first, later)
    assert period.bill == company.statements().of(AUGUST, "tenant").bill
    assert period.invoices == {}  # nobody could be asked


def test_invoices_are_those_that_were_known_when_the_month_was_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_demo(tmp_path / "cur", today=date(2026, 11, 23), months=2, lines=300)
    company = Company(tmp_path)
    with BillingApi(tmp_path / "cur") as service:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "demo")
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        company.workspace.refresh()
        company.close(OCTOBER)
    # As chargeback/demo/billing_invoices.py issues them: on the third, due 30 days later.
    issued = Issued("INVOICE", date(2026, 11, 3), date(2026, 12, 3))
    book = company.statements().book
    assert closed_period(book, book.require(OCTOBER)).invoices == {
        ("AWS", "212026100417"): issued,
        ("AWS Marketplace", "EUMPUA26-102817"): issued,
    }
