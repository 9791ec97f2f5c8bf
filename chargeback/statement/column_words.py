"""How people call the columns of the files of a month; the CSV files keep their own names."""

from __future__ import annotations

from typing import Final

HEADINGS: Final = {
    "usage_cost": "Usage",
    "discount_amount": "Discounts",
    "credit_amount": "Credits",
    "refund_amount": "Refunds",
    "tax_amount": "Tax",
    "other_amount": "Other",
    "shared_cost": "Shared",
    "total_charge": "Total charge",
}
"""The money columns of a statement."""
_OTHERS: Final = {
    "rule_id": "Rule ID",
    "rule_name": "Rule",
    "from_unit": "From",
    "to_unit": "To",
}


def in_words(column: str) -> str:
    """A column of a file as a heading: 'tax_amount' is 'Tax', 'usage_date' is 'Usage date'."""
    known = {**HEADINGS, **_OTHERS}
    return known.get(column) or column.replace("_", " ").capitalize()
