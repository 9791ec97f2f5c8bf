"""The invoices that AWS has issued, from the Invoicing API: totals, without their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from chargeback.aws.problems import words_of
from chargeback.billing_period import first_of_next, now
from chargeback.errors import SourceProblem
from chargeback.sources.billing.answers import (
    Answer,
    AwsEndpoint,
    BillingAnswers,
    Endpoint,
    Question,
    true_for,
)
from chargeback.sources.billing.document import fetch_pdf

BILLING_ENTITIES = {"AWS": "AWS", "AWS_MARKETPLACE": "AWS Marketplace"}
"""The API's words for what CUR calls `bill_billing_entity`."""

Kind = Literal["INVOICE", "CREDIT_MEMO"]


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice or credit memo; amounts in `currency`, that of the services, in cents.

    A credit memo's amounts are negative.
    """

    invoice_id: str
    kind: Kind
    account_id: str
    billing_entity: str
    """As in CUR: 'AWS' or 'AWS Marketplace'."""
    invoicing_entity: str
    issued_on: date | None
    due_on: date | None
    currency: str
    total: Decimal
    before_tax: Decimal

    @property
    def tax(self) -> Decimal:
        """The part of the total that is tax."""
        return self.total - self.before_tax


@dataclass(frozen=True, slots=True)
class InvoiceList:
    """The invoices of one billing period; empty until AWS issues them."""

    invoices: tuple[Invoice, ...]
    asked_at: datetime
    problem: SourceProblem | None = None
    """Why it is old, if it is."""


class Invoices:
    """The Invoicing API with boto3's credentials, or the demo's; answers are kept on disk."""

    name = "Invoicing API"

    def __init__(self, folder: Path, endpoint: Endpoint | AwsEndpoint | None = None) -> None:
        self._answers = BillingAnswers(folder, endpoint or AwsEndpoint())
        self._plain = endpoint.url if isinstance(endpoint, Endpoint) else None

    def of_month(self, month: str, payer_account_ids: Sequence[str]) -> InvoiceList:
        """The invoices of a billing period (YYYY-MM) that these accounts pay.

        Raises:
            SourceProblem: the API does not answer, and never did.
        """
        answers = [self._ask(month, account) for account in payer_account_ids]
        return InvoiceList(
            tuple(invoice for answer in answers for invoice in _invoices(answer)),
            min((answer.asked_at for answer in answers), default=now()),
            next((answer.problem for answer in answers if answer.problem), None),
        )

    def pdf(self, invoice_id: str) -> bytes | None:
        """An invoice's document; None where AWS has none.

        Raises:
            SourceProblem: the API does not answer or permit it, or the document can't be fetched.
        """
        question = Question("invoicing", "GetInvoicePDF", {"InvoiceId": invoice_id})
        try:
            document = self._answers.ask_once(question).get("InvoicePDF", {})
        except SourceProblem as problem:
            if problem.__cause__ and words_of(problem.__cause__).startswith("ResourceNotFound"):
                return None
            raise
        url = document.get("DocumentUrl")
        return fetch_pdf(url, self._plain) if url else None

    def _ask(self, month: str, account: str) -> Answer:
        first = date.fromisoformat(f"{month}-01")
        parameters = {
            "Selector": {"ResourceType": "ACCOUNT_ID", "Value": account},
            "Filter": {"BillingPeriod": {"Month": first.month, "Year": first.year}},
        }
        question = Question("invoicing", "ListInvoiceSummaries", parameters, "NextToken")
        end = datetime.combine(first_of_next(first), time(), UTC)
        return self._answers.ask(question, true_for(end))


def _invoices(answer: Answer) -> Iterator[Invoice]:
    """What is owed: neither receipts of payments nor invoices that the account itself sends."""
    for page in answer.pages:
        for summary in page["InvoiceSummaries"]:
            is_receipt = summary.get("InvoiceType") == "PAYMENT_RECEIPT"
            if not is_receipt and summary.get("ReceiverRole", "BUYER") == "BUYER":
                yield _invoice(summary)


def _invoice(summary: dict[str, Any]) -> Invoice:
    entity, amount = summary.get("Entity", {}), summary.get("BaseCurrencyAmount", {})
    is_memo = summary.get("InvoiceType") == "CREDIT_MEMO"
    billing_entity = entity.get("BillingEntity", "")
    total = Decimal(amount.get("TotalAmount") or 0)
    before_tax = Decimal(amount.get("TotalAmountBeforeTax") or total)
    return Invoice(
        invoice_id=summary.get("InvoiceId", ""),
        kind="CREDIT_MEMO" if is_memo else "INVOICE",
        account_id=summary.get("AccountId", ""),
        billing_entity=BILLING_ENTITIES.get(billing_entity, billing_entity),
        invoicing_entity=entity.get("InvoicingEntity", ""),
        issued_on=_day(summary.get("IssuedDate")),
        due_on=_day(summary.get("DueDate")),
        currency=amount.get("CurrencyCode", ""),
        total=-abs(total) if is_memo else total,
        before_tax=-abs(before_tax) if is_memo else before_tax,
    )


def _day(moment: str | None) -> date | None:
    return date.fromisoformat(moment[:10]) if moment else None
