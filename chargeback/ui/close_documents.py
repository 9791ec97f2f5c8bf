"""The documents of a month by kind of unit: how many, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from chargeback.dimensions import CHARGED
from chargeback.money import exact_sum
from chargeback.statement.documents import Document, DocumentSet
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table


def draw(sets: Sequence[DocumentSet], key: str) -> None:
    """A table in each currency, a row for each kind of unit."""
    for currency in sorted({each.currency for found in sets for each in found.documents}):
        plain_table(
            pd.DataFrame([_row(found, currency) for found in sets]),
            columns={
                "by": Column("Statements by", pinned=True),
                "documents": Column("Documents", "number"),
                "charge": Column("Charges", "money"),
                "adjustment": Column("Adjustments", "money", zero_is_absent=True),
                "due": Column("Amount due", "money"),
            },
            currency=currency,
            key=f"{key}-{currency}",
            what=f"Documents in {currency}",
        )


def _row(found: DocumentSet, currency: str) -> dict[str, Any]:
    mine: list[Document] = [each for each in found.documents if each.currency == currency]
    return {
        "by": CHARGED[found.by].label,
        "documents": len(mine),
        "charge": exact_sum(each.total_charge for each in mine),
        "adjustment": exact_sum(each.adjustment_amount for each in mine),
        "due": exact_sum(each.amount_due for each in mine),
    }
