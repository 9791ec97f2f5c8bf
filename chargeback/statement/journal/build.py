"""From a month's documents to a journal: debits of units, credits of clearing accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from chargeback.billing_period import first_of_next, month_of
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import Problem, UsageProblem
from chargeback.money import EXACT
from chargeback.statement.documents import Correction, Document, DocumentSet, DocumentType
from chargeback.statement.journal.accounts import COST_CENTER, Account, Accounts
from chargeback.statement.journal.model import Journal, JournalLine, Posting, total
from chargeback.statement.journal.settings import JournalSettings

NOTHING = Decimal("0.00")
TITLES: Mapping[DocumentType, str] = {
    "CHARGE": "Amazon Bedrock",
    "ACCRUAL": "Accrual (estimate), Amazon Bedrock",
    "ACCRUAL_REVERSAL": "Reversal of accrual (estimate), Amazon Bedrock",
}
"""What is posted, by kind: an estimate is never to be taken for billed money."""


def journal(
    documents: DocumentSet, settings: JournalSettings, accounts: Accounts, posting_date: date
) -> Journal:
    """What is posted of a month.

    Args:
        documents: of a closed month, of an accrual, or of its reversal.
        settings: the accounts that are no unit's.
        accounts: those of units.
        posting_date: a day of the open accounting period; a reversal is posted on the first day of
            the month after it.

    Raises:
        UsageProblem: there is no clearing account, or the day is before the month.
        Problem: units have no account, all of them named; nothing is to be posted; or the documents
            do not come to what is due to sellers.
    """
    month = documents.billing_period
    _check(documents, settings, accounts, posting_date)
    kind = _kind_of(documents)
    postings = tuple(_Poster(kind, documents, settings, accounts, posting_date).postings())
    if not postings:
        raise Problem(f"There is nothing to post of {month}: every amount is 0.00.")
    return Journal(month, documents.by, documents.revision, postings)


def _check(
    documents: DocumentSet, settings: JournalSettings, accounts: Accounts, posting_date: date
) -> None:
    if month_of(posting_date) < documents.billing_period:
        raise UsageProblem(
            f"The posting date {posting_date} is before {documents.billing_period}.",
            todo="Give a day of the accounting period that is open.",
        )
    if not settings.clearing_account:
        raise UsageProblem(
            "No clearing account is set.",
            todo="Set clearing_account in the section [journal] to the account to credit with "
            "what units are debited.",
        )
    posted = {each.bill_to for each in documents.documents if _is_posted(each)}
    if missing := sorted(unit for unit in posted if accounts.of(unit) is None):
        raise Problem(
            f"{accounts.name} has no account for {', '.join(missing)}.",
            "No file was written.",
            f"Add {'it' if len(missing) == 1 else 'them'} to the list.",
        )


def _is_posted(document: Document) -> bool:
    amounts = (document.total_charge, document.tax_amount)
    return any(amounts) or any(each.amount for each in document.corrections)


def _kind_of(documents: DocumentSet) -> DocumentType:
    """Of all documents of a set; adjustments are posted with charges."""
    kinds = {each.document_type for each in documents.documents} - {"ADJUSTMENT"}
    (kind,) = kinds or {"CHARGE"}
    return kind


@dataclass(frozen=True, slots=True)
class _Poster:
    """Makes the postings of a month: one in each currency."""

    kind: DocumentType
    documents: DocumentSet
    settings: JournalSettings
    accounts: Accounts
    posting_date: date

    def postings(self) -> Iterator[Posting]:
        for currency in self._currencies:
            units = tuple(self._units(currency))
            clearing = tuple(self._clearing(currency, units))
            if units or any(line.amount for line in clearing):
                _check_it_ties(currency, (*units, *clearing))
                text = f"{self._title} by {CHARGED[self.documents.by].noun}"
                yield Posting(self.kind, currency, self._day, text, units, clearing)

    @property
    def _currencies(self) -> list[str]:
        owed = {document.currency for document in self.documents.documents}
        return sorted(owed | {each.currency for each in self.documents.clearing})

    @property
    def _title(self) -> str:
        return f"{TITLES[self.kind]} {self.documents.billing_period}"

    @property
    def _day(self) -> date:
        is_reversal = self.kind == "ACCRUAL_REVERSAL"
        return first_of_next(self.posting_date) if is_reversal else self.posting_date

    def _units(self, currency: str) -> Iterator[JournalLine]:
        mine = (each for each in self.documents.documents if each.currency == currency)
        for document in sorted(mine, key=lambda each: (each.bill_to == UNALLOCATED, each.bill_to)):
            if account := self.accounts.of(document.bill_to):  # those without one have no amount
                yield from (line for line in self._of_unit(document, account) if line.amount)

    def _of_unit(self, document: Document, account: Account) -> Iterator[JournalLine]:
        unit, tax_account = document.bill_to, self.settings.tax_account
        tax = document.tax_amount if tax_account else NOTHING
        how = "reverses " if self.kind == "ACCRUAL_REVERSAL" else "replaces "
        title = f"{self._title}{_naming(document.replaces, how)}"
        charge = JournalLine(
            account=account.number,
            dimensions=_dimensions(document, account),
            amount=EXACT.subtract(document.total_charge, tax),
            text=f"{title}: {unit}",
            billing_period=self.documents.billing_period,
            unit=unit,
            statement_id=document.document_id,
            original_id=document.replaces,
        )
        yield charge
        yield replace(charge, account=tax_account, amount=tax, text=f"Tax, {title}: {unit}")
        for each in sorted(document.corrections, key=_corrected):
            original = _naming(each.original_document_id)
            yield replace(
                charge,
                amount=each.amount,
                text=f"Correction of {each.billing_period}{original}: {unit}",
                billing_period=each.billing_period,
                original_id=each.original_document_id,
            )

    def _clearing(self, currency: str, units: Sequence[JournalLine]) -> Iterator[JournalLine]:
        told = self.documents.clearing
        due = [each for each in told if each.currency == currency and each.amount]
        for each in sorted(due, key=lambda each: (each.billing_period, each.billing_entity)):
            account = self.settings.clearing_of(each.billing_entity)
            yield self._cleared(account, each.billing_period, -each.amount, each.billing_entity)
        periods = {line.billing_period for line in units}
        for month in sorted(periods - {each.billing_period for each in due}):
            yield self._cleared(self.settings.clearing_account, month, NOTHING, "between units")

    def _cleared(self, account: str, month: str, amount: Decimal, whose: str) -> JournalLine:
        dimensions = {COST_CENTER: ""} | dict(self.accounts.dimensions_of(account))
        text = f"{TITLES[self.kind]} {month}, clearing {whose}"
        return JournalLine(account, dimensions, amount, text, month)


def _corrected(correction: Correction) -> tuple[str, str]:
    return correction.billing_period, correction.original_document_id


def _naming(document: str, how: str = "") -> str:
    return f" ({how}{document})" if document else ""


def _dimensions(document: Document, account: Account) -> Mapping[str, str]:
    """Those of the list; where it says no cost center, the statement's."""
    listed = dict(account.dimensions)
    return listed | {COST_CENTER: listed.get(COST_CENTER) or document.cost_center}


def _check_it_ties(currency: str, lines: Sequence[JournalLine]) -> None:
    """Nothing may be posted of which units and sellers have different figures."""
    for month in sorted({line.billing_period for line in lines}):
        if off := total(line for line in lines if line.billing_period == month):
            raise Problem(
                f"What units owe for {month} and what sellers are due differ by {off} {currency}.",
                "Nothing may be posted on such figures; no file was written.",
            )
