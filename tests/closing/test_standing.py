"""Where each month stands, and how far off a closed one is, in cents that add up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.cli.main import main
from chargeback.closing.adjustment_lines import adjustment_lines, causes_of
from chargeback.closing.restated_cents import by_cause, by_unit, difference, due
from chargeback.closing.standing import posted_since, restated_notices, standing
from chargeback.dimensions import UNALLOCATED
from chargeback.statement.build import Statement
from tests.bills import Line, line
from tests.closing.conftest import OCTOBER, SEPTEMBER, Company
from tests.closing.late_credit import LINES, deliver_credit, small_company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return small_company(tmp_path)


def test_a_month_is_provisional_until_it_is_invoiced_and_then_closed(company: Company) -> None:
    company.deliver({OCTOBER: [*LINES[OCTOBER], line("1", invoice="")]})
    statements = company.statements()
    assert standing(statements, OCTOBER).state == "provisional"
    assert standing(statements, SEPTEMBER).state == "invoiced"
    assert standing(statements, SEPTEMBER).bill == {"USD": Decimal(160)}
    company.close(SEPTEMBER)
    statements = company.statements()
    assert standing(statements, SEPTEMBER).state == "closed"
    assert list(restated_notices(statements, SEPTEMBER)) == []


def test_a_late_credit_restates_a_month_and_is_posted_once(company: Company) -> None:
    company.close(SEPTEMBER)
    deliver_credit(company)
    statements = company.statements()
    at = standing(statements, SEPTEMBER)
    assert (at.state, at.bill, at.difference) == (
        "restated",
        {"USD": Decimal(160)},
        {"USD": Decimal("-5.00")},
    )
    (said,) = restated_notices(statements, SEPTEMBER)
    assert said.code == "restated"
    assert "-$5.00 (credit -$5.00)" in said.words
    assert "posted when October 2026 is closed" in said.words
    (found, _) = at.found
    assert due(statements.book, found) == {("USD", "acme"): Decimal("-5.00")}
    (correction,) = adjustment_lines(statements.of(OCTOBER, "tenant"))
    assert (correction.bill_to, correction.amount) == ("acme", Decimal("-5.00"))
    assert causes_of(statements, correction, "tenant") == ["credit"]

    company.close(OCTOBER)
    statements = company.statements()
    (found, _) = standing(statements, SEPTEMBER).found
    assert due(statements.book, found) == {}
    assert posted_since(statements.book, SEPTEMBER, "tenant") == {
        OCTOBER: {"USD": Decimal("-5.00")}
    }
    (said,) = restated_notices(statements, SEPTEMBER)
    assert "the difference was posted with October 2026" in said.words
    assert [each.difference for each in by_unit(statements.book, found, "USD")] == [
        Decimal("-5.00")
    ]


COSTS = st.decimals(-1, 1, places=6).filter(bool)
"""Small: a delivery whose usage falls by a tenth would not be taken."""
LATE = st.builds(
    lambda cost, kind, tenant, cost_center: line(
        cost, kind, day=4, tenant=tenant, cost_center=cost_center
    ),
    COSTS,
    st.sampled_from(["Usage", "Credit", "Refund", "Tax"]),
    st.sampled_from(["acme", "globex", "initech", ""]),
    st.sampled_from(["CC-1", "CC-2", ""]),
)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """September is closed, whatever comes late."""
    company = small_company(tmp_path_factory.mktemp("closed"))
    company.close(SEPTEMBER)
    return company


@settings(max_examples=10)
@given(late=st.lists(LATE, min_size=1, max_size=6))
def test_causes_and_units_come_to_the_difference_in_cents(
    closed: Company, late: list[Line]
) -> None:
    closed.deliver({SEPTEMBER: [*LINES[SEPTEMBER], *late]})
    statements = closed.statements()
    more = sum((each["line_item_unblended_cost"] for each in late), Decimal())
    now = (Decimal(160) + more).quantize(Decimal("0.01"), ROUND_HALF_UP)
    for by in ("tenant", "cost_center"):
        found = statements.comparison(SEPTEMBER, by)
        causes, units = by_cause(found, "USD"), by_unit(statements.book, found, "USD")
        whole = difference(found, "USD")
        assert whole == now - 160
        assert sum(each.difference for each in causes) == whole
        assert sum(each.closed for each in causes) == 160
        assert sum(each.difference for each in units) == whole
        lines = adjustment_lines(statements.of(OCTOBER, by))
        posted = {each.bill_to: each.amount for each in lines}
        assert {each.name: each.difference for each in units if each.difference} == posted


def test_a_program_that_charges_the_frozen_facts_otherwise_is_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Statement.exact_charges

    def as_before(self: Statement) -> dict[tuple[str, str], Decimal]:
        """Of acme's charge, as an earlier program had it."""
        found = exact(self)
        return {at: charge + (at[1] == "acme") for at, charge in found.items()}

    with monkeypatch.context() as patched:
        patched.setattr(Statement, "exact_charges", as_before)
        company.close(SEPTEMBER)
    deliver_credit(company)
    codes = {each.code for each in restated_notices(company.statements(), SEPTEMBER)}
    assert codes == {"restated", "program-differs"}


def test_where_only_other_units_pay_the_notice_says_how_much(company: Company) -> None:
    company.close(SEPTEMBER)
    tagged = line("10", tenant="globex", cost_center="CC-2")
    company.deliver({SEPTEMBER: [*LINES[SEPTEMBER][:2], tagged]})
    statements = company.statements()
    at = standing(statements, SEPTEMBER)
    assert (at.state, at.difference) == ("restated", {"USD": Decimal("0.00")})
    (said,) = restated_notices(statements, SEPTEMBER)
    assert "$0.00 ($10.00 charged to other units)" in said.words
    units = by_unit(statements.book, at.found[0], "USD")
    assert {(each.name, each.closed, each.now) for each in units} == {
        ("globex", Decimal("50.00"), Decimal("60.00")),
        (UNALLOCATED, Decimal("10.00"), Decimal("0.00")),
    }


def test_refresh_says_which_closed_months_are_restated(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    company.close(SEPTEMBER)
    deliver_credit(company)
    for name in ("cur", "store", "ledger"):
        monkeypatch.setenv(f"CHARGEBACK_{name.upper()}", str(company.folder / name))
    assert main(["refresh"]) == 0
    told = [each for each in capsys.readouterr().err.splitlines() if "restated" in each]
    assert len(told) == 1
    assert told[0].startswith("chargeback: 2026-09: info: restated: The bill has changed since")
