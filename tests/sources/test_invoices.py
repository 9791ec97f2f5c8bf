"""Invoices over HTTP: the bill's own totals in cents, paging, what counts as owed, what fails."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeback.demo.billing_api import BillingApi
from chargeback.demo.pdf import one_page
from chargeback.errors import SourceProblem
from chargeback.sources.billing.answers import Endpoint
from chargeback.sources.billing.document import MOST_BYTES
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
FIRST = "212026100417"
"""Of AWS, for October."""
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


# An invoice's document.


def test_a_document_names_its_invoice_and_what_it_comes_to(billing: Billing) -> None:
    for invoice in billing.invoices.of_month(CLOSED_MONTH, [PAYER]).invoices:
        content = billing.invoices.pdf(invoice.invoice_id)
        assert content is not None
        assert content.startswith(b"%PDF-1.4\n")
        for text in ("DEMO INVOICE", invoice.invoice_id, f"Total {invoice.total} USD"):
            assert f"({text})".encode() in content.replace(b"Invoice ", b"")
    assert billing.service.calls == ["ListInvoiceSummaries", "GetInvoicePDF", "GetInvoicePDF"]
    names = [file.name for file in billing.folder.iterdir()]
    assert len([name for name in names if name.endswith(".json")]) == 1  # no address is kept


def test_without_a_document_there_is_none(billing: Billing) -> None:
    assert billing.invoices.pdf("no such invoice") is None
    billing.service.change = lambda _operation, _answer: {"InvoicePDF": {"InvoiceId": "1"}}
    assert billing.invoices.pdf(FIRST) is None


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("AccessDeniedException", "AWS denied invoicing:GetInvoicePDF."),
        ("InternalServerException", "could not answer (InternalServerException)."),
    ],
)
def test_a_document_that_is_refused_is_told(billing: Billing, code: str, what: str) -> None:
    billing.service.refuse(code, "secret")
    with pytest.raises(SourceProblem) as caught:
        billing.invoices.pdf(FIRST)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("{url}/invoices/none.pdf?X-Amz-Signature=secret", "can't be fetched (HTTP 404)"),
        ("{url}.evil.example/secret", "not an https address"),
        ("http://127.0.0.1:9/secret", "not an https address"),
        ("file:///etc/secret", "not an https address"),
        ("https://127.0.0.1:9/secret", "can't be fetched."),
        ("https://[secret", "can't be fetched."),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_it(
    billing: Billing, address: str, what: str
) -> None:
    url = address.format(url=billing.service.url)
    billing.service.change = lambda _operation, _answer: {"InvoicePDF": {"DocumentUrl": url}}
    with pytest.raises(SourceProblem) as caught:
        billing.invoices.pdf(FIRST)
    assert what in caught.value.what
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html>Sign in</html>", "is no PDF"),
        (b"", "is no PDF"),
        (b"%PDF-1.4\n" + bytes(MOST_BYTES), "more than 10 MB"),
    ],
)
def test_what_is_no_invoice_is_not_taken(billing: Billing, content: bytes, what: str) -> None:
    billing.service.documents[FIRST] = content
    with pytest.raises(SourceProblem, match=what):
        billing.invoices.pdf(FIRST)


def test_the_demos_documents_are_pdfs_by_the_book() -> None:
    """Every offset of the cross-reference table leads to its object (ISO 32000-1, 7.5.4)."""
    content = one_page(["DEMO (not real) \\", "Total 1.00 USD"])
    table = content[int(content.rsplit(b"\n", 3)[1]) :].splitlines()
    assert table[:3] == [b"xref", b"0 6", b"0000000000 65535 f "]
    for number, entry in enumerate(table[3:8], start=1):
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
    length = int(content.split(b"/Length ")[1].split()[0])
    assert content.split(b"stream\n")[1][length:] == b"\nend"
    assert rb"(DEMO \(not real\) \\)" in content
