"""Invoices over HTTP: the bill's own totals in cents, paging, what counts as owed, what fails."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeback.demo.billing_api import BillingApi
from chargeback.errors import SourceProblem
from chargeback.sources.billing.answers import Endpoint
from chargeback.sources.billing.invoices import Invoices
from tests.billing_service import (
    CLOSED_MONTH,
    NET_MONTH,
    OPEN_MONTH,
    PAYER,
    Billing,
    billing,
    billing_cur,
    billing_service,
)

__all__ = ["billing", "billing_cur", "billing_service"]

CENT = Decimal("0.01")
MOST_CHARGES = 60
"""Charges on one of the demo's invoices, at most: what rounding can move is half a cent each."""


def test_invoices_are_the_bills_totals_over_all_services(billing: Billing) -> None:
    invoices = billing.invoices.of_month(CLOSED_MONTH, [PAYER]).invoices
    assert [i.billing_entity for i in invoices] == ["AWS", "AWS Marketplace"]
    for invoice in invoices:
        exact = billing.cost(CLOSED_MONTH, f"bill_invoice_id = '{invoice.invoice_id}'")
        tax = f"bill_invoice_id = '{invoice.invoice_id}' and line_item_line_item_type = 'Tax'"
        assert abs(invoice.total - exact) < CENT / 2 * MOST_CHARGES
        assert abs(invoice.tax - billing.cost(CLOSED_MONTH, tax)) < CENT / 2 * MOST_CHARGES
        assert invoice.total == invoice.total.quantize(CENT) != exact
        assert invoice.issued_on == date(2026, 11, 3)
        assert (invoice.kind, invoice.currency, invoice.account_id) == ("INVOICE", "USD", PAYER)


def test_a_month_with_net_costs_is_invoiced_net(billing: Billing) -> None:
    aws, _ = billing.invoices.of_month(NET_MONTH, [PAYER]).invoices
    unblended = billing.cost(NET_MONTH, f"bill_invoice_id = '{aws.invoice_id}'")
    assert aws.total < unblended * Decimal("0.97")  # 6 % off what AWS itself sells, taxed or not


def test_nothing_is_issued_for_the_open_month_or_to_others(billing: Billing) -> None:
    assert billing.invoices.of_month(OPEN_MONTH, [PAYER]).invoices == ()
    assert billing.invoices.of_month(CLOSED_MONTH, ["111122223333"]).invoices == ()
    assert billing.invoices.of_month(CLOSED_MONTH, []).invoices == ()


def test_an_answer_is_kept_and_is_no_request_of_cost_explorer(billing: Billing) -> None:
    first = billing.invoices.of_month(CLOSED_MONTH, [PAYER])
    assert billing.invoices.of_month(CLOSED_MONTH, [PAYER]) == first
    assert billing.service.calls == ["ListInvoiceSummaries"]
    assert billing.cost_explorer.requests_this_month == 0


def test_credit_memos_take_off_and_receipts_do_not_count(billing: Billing) -> None:
    def change(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        memo, receipt = answer["InvoiceSummaries"]
        sold = {**receipt, "ReceiverRole": "SELLER"}
        return {
            "InvoiceSummaries": [
                {**memo, "InvoiceType": "CREDIT_MEMO"},
                {**receipt, "InvoiceType": "PAYMENT_RECEIPT"},
                sold,
                {"InvoiceId": "bare"},
            ]
        }

    [as_invoice, _] = billing.invoices.of_month(CLOSED_MONTH, [PAYER]).invoices
    billing.service.change = change
    billing.folder = billing.folder / "changed"
    memo, bare = billing.invoices.of_month(CLOSED_MONTH, [PAYER]).invoices
    assert (memo.kind, memo.total, memo.tax) == (
        "CREDIT_MEMO",
        -as_invoice.total,
        -as_invoice.tax,
    )
    assert bare.invoice_id == "bare"
    assert bare.total == bare.tax == 0
    assert bare.issued_on is None


def test_several_pages_are_put_together(billing: Billing, billing_cur: Path) -> None:
    whole = billing.invoices.of_month(CLOSED_MONTH, [PAYER]).invoices
    with BillingApi(billing_cur, page_size=1) as service:
        paged = Invoices(billing.folder / "paged", Endpoint(service.url))
        assert paged.of_month(CLOSED_MONTH, [PAYER]).invoices == whole
    assert len(whole) == 2


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("AccessDeniedException", "AWS denied invoicing:ListInvoiceSummaries."),
        ("ThrottlingException", "The Invoicing API is receiving too many requests"),
        ("InternalServerException", "could not answer (InternalServerException)."),
        ("ExpiredTokenException", "credentials have expired"),
    ],
)
def test_a_refusal_is_told(billing: Billing, code: str, what: str) -> None:
    billing.service.refuse(code, "secret")
    with pytest.raises(SourceProblem) as caught:
        billing.invoices.of_month(CLOSED_MONTH, [PAYER])
    assert what in caught.value.what
    assert "secret" not in str(caught.value)
    assert caught.value.todo
