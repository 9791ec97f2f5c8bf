"""What a statement posts of months that were closed before, a line for each correction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from chargeback.closing.restated_cents import causes_of_unit
from chargeback.closing.statements import Statements
from chargeback.statement.build import Statement


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """One correction of one unit."""

    billing_period: str
    """The closed month that is corrected."""
    bill_to: str
    currency: str
    original_document_id: str
    """The document that charged it; '' where the unit was charged nothing then."""
    amount: Decimal
    """Cents, never zero."""


def adjustment_lines(statement: Statement) -> list[AdjustmentLine]:
    """By month that is corrected, then as the documents stand."""
    return sorted(_lines(statement), key=lambda each: each.billing_period)


def causes_of(statements: Statements, line: AdjustmentLine, by: str) -> list[str]:
    """Why a unit is charged otherwise now than when the month was closed."""
    found = statements.restatement(line.billing_period, by)
    return causes_of_unit(found, (line.currency, line.bill_to)) if found else []


def _lines(statement: Statement) -> Iterator[AdjustmentLine]:
    for document in statement.documents.documents if statement.documents else ():
        for each in document.corrections:
            if each.amount:
                yield AdjustmentLine(
                    billing_period=each.billing_period,
                    bill_to=document.bill_to,
                    currency=document.currency,
                    original_document_id=each.original_document_id,
                    amount=each.amount,
                )
