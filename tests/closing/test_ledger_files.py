"""The files for the ledger of closed and open months: journal and accrual, through the commands."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.cli.main import main
from tests.bills import line
from tests.closing.conftest import AUGUST, OCTOBER, SEPTEMBER, Company, usual

Run = Callable[..., int]
Rows = list[dict[str, str]]
ACCOUNTS = "bill_to,account\nacme,7001\nglobex,7002\n(unallocated),7099\n"
SETTINGS = """\
[journal]
clearing_account = "6500"
clearing = { "AWS Marketplace" = "6501" }
"""


@pytest.fixture
def run(company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command over the company's bill and ledger, as it would be typed."""
    monkeypatch.chdir(tmp_path)
    for name in ("cur", "store", "ledger"):
        monkeypatch.setenv(f"CHARGEBACK_{name.upper()}", str(company.folder / name))
    (tmp_path / "accounts.csv").write_text(ACCOUNTS, "utf-8")
    (tmp_path / "chargeback.toml").write_text(SETTINGS, "utf-8")
    return lambda *words: main(words)


def journal(month: str) -> Rows:
    file = Path("out", f"journal-generic-tenant-{month}.csv")
    return list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))


def by_account(rows: Rows) -> dict[str, Decimal]:
    """Debits less credits of each account."""
    found: dict[str, Decimal] = {}
    for row in rows:
        amount = Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        found[row["account"]] = found.get(row["account"], Decimal()) + amount
    return found


def test_a_closed_month_is_a_journal_that_balances(company: Company, run: Run) -> None:
    company.close(AUGUST)
    assert run("journal", "--month", AUGUST, "--by", "tenant", "--profile", "generic") == 0
    found = by_account(journal(AUGUST))
    # The lines of `usual` in cents: acme 100.005 + 31.50, globex 50.333, nobody 7.77 + 20.01 tax.
    assert found == {
        "7001": Decimal("131.51"),
        "7002": Decimal("50.33"),
        "7099": Decimal("27.78"),
        "6500": Decimal("-178.12"),
        "6501": Decimal("-31.50"),
    }


def test_an_adjustment_is_a_line_of_its_own(company: Company, run: Run) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: [*usual(), line("-5.00", "Credit", tenant="acme")]})
    company.close(SEPTEMBER)
    for month in (AUGUST, SEPTEMBER):
        run("journal", "--month", month, "--by", "tenant", "--profile", "generic")
    (original,) = [row for row in journal(AUGUST) if row["account"] == "7001"]
    rows = [row for row in journal(SEPTEMBER) if row["account"] == "7001"]
    assert [(row["debit"], row["credit"]) for row in rows] == [("131.51", ""), ("", "5.00")]
    document = company.statements().book.require(AUGUST).documents("tenant").documents[0]
    assert document.document_id in rows[1]["description"]
    assert original["debit"] == "131.51"
    totals = by_account(journal(SEPTEMBER))
    assert sum(totals.values()) == 0
    assert totals["6500"] == Decimal("-173.12")


def test_an_open_month_has_no_journal_but_an_accrual(
    company: Company, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    company.close(AUGUST)
    words = ("journal", "--month", OCTOBER, "--by", "tenant", "--profile", "generic")
    assert run(*words) == 1
    assert "2026-10 is not closed" in capsys.readouterr().err
    assert run(*words, "--accrual") == 0
    rows = journal(OCTOBER)
    assert Counter(row["posting_date"] for row in rows) == {"2026-10-31": 5, "2026-11-01": 5}
    assert set(by_account(rows).values()) == {Decimal("0.00")}


def test_a_closed_month_has_no_accrual(
    company: Company, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    company.close(AUGUST)
    assert run("accrual", "--month", AUGUST, "--by", "tenant") == 1
    assert "2026-08 is closed" in capsys.readouterr().err
    assert run("journal", "--month", AUGUST, "--by", "team", "--profile", "generic") == 1
    assert "nothing was posted by team" in capsys.readouterr().err
