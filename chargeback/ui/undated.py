"""What a chart of days leaves out, said under it: only the kinds of line that are there."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import streamlit as st

from chargeback.formats import money
from chargeback.money import cents, exact_sum, in_cents
from chargeback.reports.answers import Answers
from chargeback.reports.daily import undated_by_kind
from chargeback.reports.view import View
from chargeback.ui.markdown import plain

KINDS: Final = {
    "tax": "tax",
    "discount": "discounts",
    "credit": "credits",
    "refund": "refunds",
    "other": "fees and other charges",
    "another month": "usage of another month",
    "undated": "usage without a date",
}
"""In words what queries/reports/undated.sql tells apart."""


def say(answers: Answers, view: View) -> None:
    """A caption with what belongs to no day, and how much of it is what; nothing without any."""
    if said := in_words(undated_by_kind(answers, view), view.currency):
        st.caption(plain(said))


def in_words(parts: Mapping[str, Decimal], currency: str) -> str:
    """'$4,967.23 belongs to no day of the month: tax $7,997.83, discounts -$3,030.60.'."""
    if not parts:
        return ""
    whole = cents(exact_sum(parts.values()))
    amounts = in_cents(list(parts.values()), whole)
    said = [KINDS[kind] for kind in parts]
    if len(said) > 1:
        said = [f"{of} {money(each, currency)}" for of, each in zip(said, amounts, strict=True)]
    total = money(whole, currency)
    return f"{total} belongs to no day of the month and is not in the chart: {', '.join(said)}."
