"""What is posted of a month: a document for each unit, what it charges and what it corrects."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chargeback.billing_period import UtcMoment
from chargeback.money import ZERO, exact_sum

DocumentType = Literal["CHARGE", "ADJUSTMENT", "ACCRUAL", "ACCRUAL_REVERSAL"]
ID_LENGTH = 10
"""Letters and digits of a digest that make an id: with all else, 20 characters, which is as much as
Business Central's document numbers may have (its API v2.0, journalLine)."""


class Despite(BaseModel):
    """What stood in the way of closing a month, and was overridden."""

    model_config = ConfigDict(frozen=True)

    code: str
    words: str
    amount: Decimal | None = None
    currency: str = ""


class CloseNote(BaseModel):
    """Who closed a month, and what they said of it."""

    model_config = ConfigDict(frozen=True)

    who: str
    when: UtcMoment
    note: str
    despite: tuple[Despite, ...] = ()


class Correction(BaseModel):
    """What a document adds to, or takes off, what was posted of an earlier month; cents."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    """The closed month that is corrected."""
    original_document_id: str
    """The document that charged it; '' where the unit was charged nothing then."""
    amount: Decimal
    exact: Decimal
    """What the corrected month charges the unit, exact."""
    attribution: Decimal = ZERO
    """What of it, since the month was closed, is due to who pays; exact."""


class Document(BaseModel):
    """What one unit is to pay for a month: the charge, and corrections of earlier ones."""

    model_config = ConfigDict(frozen=True)

    document_type: DocumentType
    document_id: str
    replaces: str = ""
    """The document of a revision that was withdrawn, which this one stands for; of a reversal the
    accrual that it takes back."""
    bill_to: str
    cost_center: str
    currency: str
    total_charge: Decimal
    """Cents."""
    tax_amount: Decimal
    """Of it, cents."""
    exact: Decimal
    """The charge before rounding."""
    corrections: tuple[Correction, ...] = ()

    @property
    def adjustment_amount(self) -> Decimal:
        """All corrections together, in cents."""
        return exact_sum(each.amount for each in self.corrections) + Decimal("0.00")

    @property
    def amount_due(self) -> Decimal:
        """What is to be paid, in cents."""
        return self.total_charge + self.adjustment_amount

    @property
    def original_document_id(self) -> str:
        """The documents that it replaces or corrects, separated by `;`."""
        corrected = (c.original_document_id for c in self.corrections if c.amount)
        return ";".join(dict.fromkeys(each for each in (self.replaces, *corrected) if each))


class Clearing(BaseModel):
    """What is due to one seller: over all units, `amount_due` less this comes to nothing; cents."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    """Whose bill: that of the documents, or an earlier one that they correct."""
    currency: str
    billing_entity: str
    """As in CUR: 'AWS', 'AWS Marketplace'."""
    amount: Decimal


class DocumentSet(BaseModel):
    """All documents of a closed month made out to one kind of unit."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    by: str
    """A key of CHARGED."""
    revision: int
    documents: tuple[Document, ...]
    clearing: tuple[Clearing, ...]
    """By billing period and currency its amounts come to those of the documents."""

    def by_unit(self) -> dict[tuple[str, str], Document]:
        """The documents by currency and unit."""
        return {(each.currency, each.bill_to): each for each in self.documents}


def document_id(month: str, *content: str) -> str:
    """An id of 20 characters: the same for the same content, and for no other."""
    digest = hashlib.sha256("\0".join((month, *content)).encode()).digest()
    return f"BC-{month.replace('-', '')}-{base64.b32encode(digest).decode()[:ID_LENGTH]}"


def amounts_due(documents: Iterable[Document]) -> Decimal:
    """What documents come to, in cents."""
    return exact_sum(each.amount_due for each in documents)
