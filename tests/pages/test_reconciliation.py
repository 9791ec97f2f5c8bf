"""The Reconciliation page over a bill, with Cost Explorer and invoices answered over HTTP."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from chargeback.formats import money
from chargeback.ui.markdown import plain
from chargeback.ui.reconciliation import IN_CENTS, QUESTIONS
from tests.billing_service import (
    CLOSED_MONTH,
    OPEN_MONTH,
    Billing,
    billing,
    billing_cur,
    billing_service,
)
from tests.pages.conftest import Bill, OpenPage, table

__all__ = ["billing", "billing_cur", "billing_service"]


@pytest.fixture
def reconciled(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> Billing:
    """The service, to which boto3's environment leads."""
    for name, value in {
        "AWS_ENDPOINT_URL": billing.service.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    return billing


@pytest.fixture
def own(reconciled: Billing) -> Bill:
    """The bill from which the service answers, with a store and kept answers of its own."""
    return Bill(reconciled.service.cur, reconciled.folder.parent / "store")


def test_a_closed_month_ties_in_three_sources(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    bill = money(reconciled.cost(CLOSED_MONTH), "USD")
    cur, *parts = app.metric
    assert cur.value == plain(bill)
    assert [card.label for card in parts] == [
        plain("= AWS invoices"),
        plain("+ Marketplace invoices"),
    ]
    assert money(sum((amount_of(card.value) for card in parts), Decimal()), "USD") == bill
    assert "\\$0.00 is unexplained" in app.success[0].value
    assert not app.error
    assert not app.warning

    invoices = table(app, "What else is on these invoices")
    for other, part in zip(("AWS invoices", "AWS Marketplace invoices"), parts, strict=True):
        column = [Decimal(str(row[other])) for row in invoices]
        assert sum(column[:-1]) == column[-1]
        assert column[0] == amount_of(part.value)
    *_, unexplained, _ = invoices
    assert unexplained["charges"] == "Unexplained"
    assert unexplained["AWS invoices"] == unexplained["AWS Marketplace invoices"] == 0

    first, *steps, last = table(app, "Compared with Cost Explorer")
    assert money(first["amount"], "USD") == bill
    assert first["amount"] + sum(row["amount"] for row in steps) == last["amount"]
    assert steps[-1] == {"step": "Unexplained", "amount": Decimal()}
    assert [heading.value for heading in app.caption].count(plain(IN_CENTS)) == 1


def amount_of(card: str) -> Decimal:
    """The amount on a card in dollars."""
    return Decimal(re.sub(r"[^-\d.]", "", card))


def test_an_open_month_is_not_invoiced_and_that_is_no_alarm(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    app = open_page("reconciliation", bill=own, month=OPEN_MONTH)
    bill, part = app.metric
    assert part.label == plain("= Not invoiced yet")
    assert part.value == bill.value == plain(money(reconciled.cost(OPEN_MONTH), "USD"))
    assert [e.value for e in app.error] == []


def test_what_no_cause_explains_stands_there_in_red(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    def dearer(operation: str, answer: dict[str, object]) -> dict[str, object]:
        if operation == "GetCostAndUsage":
            for bucket in answer["ResultsByTime"]:  # type: ignore[attr-defined]
                for group in bucket["Groups"]:
                    if group["Keys"] == ["Amazon Bedrock", "Usage"]:
                        group["Metrics"]["UnblendedCost"]["Amount"] = "1000000"
        return answer

    reconciled.service.change = dearer
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    assert "is unexplained" in app.error[0].value
    assert not app.success


def test_without_permission_the_page_shows_what_it_can(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    reconciled.service.refuse("AccessDeniedException")
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    said = " ".join(warning.value for warning in app.warning)
    assert plain("denied ce:GetCostAndUsage") in said
    assert plain("denied invoicing:ListInvoiceSummaries") in said
    assert app.metric[0].value == plain(money(reconciled.cost(CLOSED_MONTH), "USD"))
    assert table(app, "Invoices")


def test_one_reason_for_both_sources_is_one_warning(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    reconciled.service.refuse("ExpiredToken")
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    (warning,) = app.warning
    assert "credentials have expired" in warning.value


def test_answers_are_kept_and_requests_counted(
    open_page: OpenPage, own: Bill, reconciled: Billing
) -> None:
    open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    asked = list(reconciled.service.calls)
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    assert reconciled.service.calls == asked
    requests = len([call for call in asked if call != "ListInvoiceSummaries"])
    price = money(Decimal("0.01") * requests, "USD")
    assert any(
        plain(f"{requests} Cost Explorer requests this month, {price}") in caption.value
        for caption in app.caption
    )


def test_the_page_answers_why_numbers_differ(open_page: OpenPage, own: Bill) -> None:
    app = open_page("reconciliation", bill=own, month=CLOSED_MONTH)
    questions = [heading.value for heading in app.subheader]
    assert questions[-len(QUESTIONS) :] == [plain(question) for question, _ in QUESTIONS]
