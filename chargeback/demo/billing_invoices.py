"""What AWS's Invoicing API would say of a CUR bill, and its invoices as documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from urllib.parse import quote

from chargeback.billing_period import first_of_next, now
from chargeback.demo.billing_bill import BillingBill, Json, Refused, Row
from chargeback.demo.pdf import one_page

ISSUED_ON_DAY, DUE_AFTER = 3, timedelta(days=30)
ENTITIES = MappingProxyType({"AWS Marketplace": "AWS_MARKETPLACE"})
DOCUMENTS = "/invoices/"
"""Where documents lie below the service's address."""
GOOD_FOR = timedelta(minutes=15)
"""How long AWS's address of a document would be good for; the demo's is as long as it runs."""


def invoice_summaries(bill: BillingBill, request: Json) -> Json:
    """ListInvoiceSummaries of an account and a billing period."""
    period = request["Filter"]["BillingPeriod"]
    month = f"{period['Year']}-{period['Month']:02d}"
    payer = request["Selector"]["Value"]
    rows = [row for row in _invoices(bill, month) if row["payer_account_id"] == payer]
    page, more = bill.page(request, rows, "NextToken")
    return {"InvoiceSummaries": [_summary(row, period) for row in page], **more}


def invoice_pdf(bill: BillingBill, request: Json) -> Json:
    """GetInvoicePDF: where the document lies."""
    invoice_id = request["InvoiceId"]
    document(bill, invoice_id)
    return {
        "InvoicePDF": {
            "InvoiceId": invoice_id,
            "DocumentUrl": f"{bill.url}{DOCUMENTS}{quote(invoice_id)}.pdf",
            "DocumentUrlExpirationDate": (now() + GOOD_FOR).timestamp(),
            "SupplementalDocuments": [],
        }
    }


def document(bill: BillingBill, invoice_id: str) -> bytes:
    """An invoice as a PDF. Raises Refused if there is none of that id."""
    for month in bill.months():
        for row in _invoices(bill, month):
            if row["invoice_id"] == invoice_id:
                return one_page(_lines(row, month))
    raise Refused("ResourceNotFoundException", "The invoice was not found.")


def _invoices(bill: BillingBill, month: str) -> list[Row]:
    return list(bill.run("demo/invoice_totals", {"billing_period": month}))


def _lines(row: Row, month: str) -> list[str]:
    return [
        "DEMO INVOICE",
        "Made up for a demo. Nobody owes this amount.",
        f"Invoice {row['invoice_id']}",
        f"Billing period {month}",
        f"Account {row['payer_account_id']}",
        f"Sold by {row['billing_entity']}",
        f"Tax {row['tax']} {row['currency']}",
        f"Total {row['total']} {row['currency']}",
    ]


def _summary(row: Row, period: Json) -> Json:
    """One invoice, without what a demo has none of: purchase orders and exchange rates."""
    first = first_of_next(date(period["Year"], period["Month"], 1))
    issued = datetime.combine(first.replace(day=ISSUED_ON_DAY), time(), UTC)
    before_tax = row["total"] - row["tax"]
    amount = {
        "TotalAmount": f"{row['total']}",
        "TotalAmountBeforeTax": f"{before_tax}",
        "CurrencyCode": row["currency"],
        "AmountBreakdown": {
            "SubTotalAmount": f"{before_tax - row['discounts']}",
            "Discounts": {"TotalAmount": f"{row['discounts']}"},
            "Taxes": {"TotalAmount": f"{row['tax']}"},
        },
    }
    return {
        "AccountId": row["payer_account_id"],
        "InvoiceId": row["invoice_id"],
        "IssuedDate": issued.timestamp(),
        "DueDate": (issued + DUE_AFTER).timestamp(),
        "Entity": {
            "InvoicingEntity": row["invoicing_entity"],
            "BillingEntity": ENTITIES.get(row["billing_entity"], row["billing_entity"]),
        },
        "BillingPeriod": period,
        "InvoiceType": "INVOICE",
        "BaseCurrencyAmount": amount,
        "PaymentCurrencyAmount": amount,
    }
