"""An accrual as documents to post, and the documents that take it back in the next month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from chargeback.billing_period import first_of_next
from chargeback.statement.accrual import Accrual
from chargeback.statement.documents import (
    Clearing,
    Document,
    DocumentSet,
    DocumentType,
    document_id,
)

ACCRUAL: DocumentType = "ACCRUAL"
REVERSAL: DocumentType = "ACCRUAL_REVERSAL"


def posting_dates(month: str) -> tuple[date, date]:
    """When a month's accrual is posted, and its reversal: its last day, and the day after."""
    reversed_on = first_of_next(date.fromisoformat(f"{month}-01"))
    return reversed_on - timedelta(days=1), reversed_on


def accrual_documents(accrual: Accrual) -> DocumentSet:
    """A document for each line of an accrual, in its order."""
    return DocumentSet(
        billing_period=accrual.statement.billing_period,
        by=accrual.statement.bill_to_type,
        revision=0,
        documents=tuple(_documents(accrual)),
        clearing=tuple(_clearing(accrual)),
    )


def reversal_of(documents: DocumentSet) -> DocumentSet:
    """What takes an accrual back: the same documents and clearing, every amount negated."""
    return documents.model_copy(
        update={
            "documents": tuple(_reversed(documents.billing_period, d) for d in documents.documents),
            "clearing": tuple(
                each.model_copy(update={"amount": -each.amount}) for each in documents.clearing
            ),
        }
    )


def _documents(accrual: Accrual) -> Iterator[Document]:
    month, by = accrual.statement.billing_period, accrual.statement.bill_to_type
    for line in accrual.lines:
        amounts = (f"{line.actual}", f"{line.tax}", f"{line.estimated}")
        whom = (by, line.bill_to, line.cost_center, line.currency)
        yield Document(
            document_type=ACCRUAL,
            document_id=document_id(month, ACCRUAL, *whom, *amounts),
            bill_to=line.bill_to,
            cost_center=line.cost_center,
            currency=line.currency,
            total_charge=line.accrued,
            tax_amount=line.tax,
            exact=line.accrued,
        )


def _clearing(accrual: Accrual) -> Iterator[Clearing]:
    for (currency, seller), amount in sorted(accrual.sellers.items()):
        yield Clearing(
            billing_period=accrual.statement.billing_period,
            currency=currency,
            billing_entity=seller,
            amount=amount,
        )


def _reversed(month: str, accrued: Document) -> Document:
    return accrued.model_copy(
        update={
            "document_type": REVERSAL,
            "document_id": document_id(month, REVERSAL, accrued.document_id),
            "replaces": accrued.document_id,
            "total_charge": -accrued.total_charge,
            "tax_amount": -accrued.tax_amount,
            "exact": -accrued.exact,
        }
    )
