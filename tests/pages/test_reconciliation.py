"""The Reconciliation page over a bill, with Cost Explorer and invoices answered over HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chargeback.formats import money
from chargeback.ui.markdown import plain
from chargeback.ui.reconciliation import QUESTIONS
from tests.billing_service import CLOSED_MONTH, Billing, billing, billing_cur, billing_service
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
    cur, *others = app.metric
    assert cur.value == plain(money(reconciled.cost(CLOSED_MONTH), "USD"))
    assert [card.label for card in others] == [
        "Cost Explorer",
        "AWS invoices",
        "AWS Marketplace invoices",
    ]
    assert "\\$0.00 is left" in app.success[0].value
    for card in others:
        *steps, last = table(app, f"From the bill to {card.label}")
        assert sum(Decimal(str(row["amount"])) for row in steps) == Decimal(str(last["amount"]))
        assert steps[-1] == {"step": "Unexplained", "amount": Decimal()}


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
    assert "is not explained" in app.error[0].value
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
