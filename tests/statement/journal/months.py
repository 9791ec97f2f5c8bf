"""Months to post: documents with what clears them, made by hand or drawn by Hypothesis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from chargeback.dimensions import UNALLOCATED
from chargeback.statement.documents import (
    Clearing,
    Correction,
    Document,
    DocumentSet,
    DocumentType,
    document_id,
)
from chargeback.statement.journal.accounts import Account, Accounts
from chargeback.statement.journal.build import journal
from chargeback.statement.journal.model import Journal
from chargeback.statement.journal.settings import JournalSettings

MONTH, BEFORE = "2026-10", "2026-09"
LAST_DAY = date(2026, 10, 31)
AWS, MARKETPLACE = "AWS", "AWS Marketplace"
SETTINGS = JournalSettings(
    clearing_account="6500", tax_account="7800", clearing={MARKETPLACE: "6501"}
)
UNITS = ("acme-corp", "globex", UNALLOCATED, "=cmd|' /C calc'!A0", "naïve\nunit", "a" * 300)
"""Names as tags may have them: formulas, lines, other scripts, long ones."""


def document(
    unit: str,
    charge: str,
    *,
    tax: str = "0.00",
    currency: str = "USD",
    corrections: Mapping[str, str] | None = None,
    kind: DocumentType = "CHARGE",
    replaces: str = "",
) -> Document:
    """A document of MONTH; corrections are amounts by billing period."""
    made = [
        Correction(
            billing_period=month,
            original_document_id=document_id(month, unit),
            amount=Decimal(amount),
            exact=Decimal(amount),
        )
        for month, amount in (corrections or {}).items()
    ]
    return Document(
        document_type=kind,
        document_id=document_id(MONTH, unit, currency, kind),
        replaces=replaces,
        bill_to=unit,
        cost_center="",
        currency=currency,
        total_charge=Decimal(charge),
        tax_amount=Decimal(tax),
        exact=Decimal(charge),
        corrections=tuple(made),
    )


def documents(
    *mine: Document,
    marketplace: Mapping[tuple[str, str], str] | None = None,
    revision: int = 1,
    by: str = "tenant",
) -> DocumentSet:
    """A month of documents; by period and currency AWS is due what Marketplace is not."""
    due: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in mine:
        due[MONTH, each.currency] += each.total_charge
        for correction in each.corrections:
            due[correction.billing_period, each.currency] += correction.amount
    clearing = []
    for (month, currency), amount in sorted(due.items()):
        other = Decimal((marketplace or {}).get((month, currency), "0.00"))
        for entity, part in ((AWS, amount - other), (MARKETPLACE, other)):
            clearing.append(
                Clearing(
                    billing_period=month, currency=currency, billing_entity=entity, amount=part
                )
            )
    return DocumentSet(
        billing_period=MONTH, by=by, revision=revision, documents=mine, clearing=tuple(clearing)
    )


def accounts_for(found: DocumentSet, dimensions: Mapping[str, str] | None = None) -> Accounts:
    """An account for each unit: 7001, 7002 … in the order of their names."""
    units = sorted({each.bill_to for each in found.documents})
    listed = {"cost_center": "CC-1", **(dimensions or {})}
    of_units = {unit: Account(f"{7000 + at}", listed) for at, unit in enumerate(units, start=1)}
    return Accounts("accounts.csv", of_units)


def posted(
    found: DocumentSet,
    settings: JournalSettings = SETTINGS,
    dimensions: Mapping[str, str] | None = None,
) -> Journal:
    """The journal of documents, on the month's last day."""
    return journal(found, settings, accounts_for(found, dimensions), LAST_DAY)


cents = st.integers(-(10**8), 10**8).map(lambda units: Decimal(units).scaleb(-2))


@st.composite
def months(draw: st.DrawFn, most_units: int = 30) -> DocumentSet:
    """Any month in which something is posted: credits, corrections, currencies, two sellers."""
    names = st.sampled_from(UNITS) | st.text(min_size=1, max_size=8)
    made = []
    for currency in draw(st.sampled_from([("USD",), ("EUR", "USD")])):
        for unit in draw(st.lists(names, min_size=1, max_size=most_units, unique=True)):
            charge, tax = draw(cents), draw(st.just(Decimal("0.00")) | cents)
            corrected = draw(st.dictionaries(st.sampled_from([BEFORE, "2026-08"]), cents))
            made.append(
                document(
                    unit,
                    str(charge),
                    tax=str(tax),
                    currency=currency,
                    corrections={month: str(amount) for month, amount in corrected.items()},
                )
            )
    keys = st.tuples(st.sampled_from([MONTH, BEFORE]), st.sampled_from(["EUR", "USD"]))
    others = draw(st.dictionaries(keys, cents.map(str)))
    made.append(document("always", "0.01"))
    return documents(*made, marketplace=others)
