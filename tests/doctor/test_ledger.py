"""Setup's look at the ledger: whole, broken, or of another bill."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chargeback.doctor.check import Check
from chargeback.doctor.ledger import examine_ledger
from chargeback.errors import UsageProblem
from tests.bills import OTHER_PAYER, line
from tests.closing.conftest import AUGUST, SEPTEMBER, Company, company, nowhere

__all__ = ["company", "nowhere"]


def looked_at(of: Company) -> Check:
    (check,) = examine_ledger(of.workspace, datetime(2026, 12, 10, tzinfo=UTC))
    return check


def test_a_ledger_that_is_whole(company: Company) -> None:
    assert looked_at(company).found.endswith("no month is closed yet")
    company.close(AUGUST)
    company.close(SEPTEMBER)
    assert looked_at(company).state == "ok"
    assert looked_at(company).found.endswith(": 2 months closed, the newest 2026-09")


def test_an_entry_that_was_changed(company: Company) -> None:
    company.close(AUGUST)
    entry = company.folder / "ledger" / "entries" / "000001.json"
    entry.write_text(entry.read_text().replace("ann", "bob"))
    company.close(SEPTEMBER)
    entry.write_text(entry.read_text().replace("bob", "ann"))
    check = looked_at(company)
    assert check.state == "problem"
    assert "000002.json: it does not follow the entry before" in check.found
    assert check.command.endswith("verify")


def test_another_bills_ledger(company: Company) -> None:
    company.close(AUGUST)
    other = Company(company.folder / "another", ledger=company.settings.ledger)
    other.deliver({AUGUST: [line("1", payer=OTHER_PAYER)]})
    with pytest.raises(UsageProblem, match=f"the bill is of {OTHER_PAYER}"):
        looked_at(other)
