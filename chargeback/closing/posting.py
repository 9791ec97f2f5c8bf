"""The documents of a month: its charges, and what is still to be posted of months closed before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from chargeback.closing.book import Book
from chargeback.dimensions import unallocated_last
from chargeback.money import ZERO, exact_sum, in_cents
from chargeback.reports.answers import Answers
from chargeback.reports.charges import bill_by_product
from chargeback.reports.view import View
from chargeback.statement.adjustments import NOTHING, Posted, Unit, corrections
from chargeback.statement.build import MONEY, Statement, no_charge
from chargeback.statement.documents import (
    Clearing,
    Correction,
    Document,
    DocumentSet,
    document_id,
)

TAX = MONEY.index("tax_amount")
BySeller = Mapping[tuple[str, str], Decimal]
"""What is due, by currency and billing entity."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A closed month as the bill has it now, under the rules it was closed under; exact."""

    month: str
    charged: Mapping[Unit, Decimal]
    attribution: Mapping[Unit, Decimal]
    """What of it, since the close, is due to who pays."""
    holds_attribution_back: bool
    """Whether who pays stays as it was posted last, whoever does now."""
    sellers: BySeller

    def attributed(self, unit: Unit, posted: Mapping[Unit, Posted]) -> Decimal:
        """What of a unit's charge is due to who pays, as far as that is posted now."""
        if self.holds_attribution_back:
            return posted.get(unit, NOTHING).attribution
        return self.attribution.get(unit, ZERO)

    def to_post(self, posted: Mapping[Unit, Posted]) -> dict[Unit, Decimal]:
        """What each unit is charged in all, as far as that is posted now."""
        return {
            unit: exact_sum(
                (
                    self.charged.get(unit, ZERO),
                    self.attribution.get(unit, ZERO).copy_negate(),
                    self.attributed(unit, posted),
                )
            )
            for unit in self.charged.keys() | posted.keys()
        }


@dataclass(frozen=True)
class _Due:
    """What is still to be posted of closed months."""

    corrections: Mapping[Unit, list[Correction]] = field(default_factory=dict)
    clearing: tuple[Clearing, ...] = ()


def post(
    statement: Statement, sellers: BySeller, book: Book, corrected: list[Corrected], *, final: bool
) -> DocumentSet:
    """The documents of a month.

    Args:
        statement: of the month.
        sellers: what its bill comes to, exact.
        book: the ledger, in which the month is open.
        corrected: the months before it whose corrections are posted with it.
        final: whether it is being closed: only then documents have ids.
    """
    due = _due(statement.bill_to_type, book, corrected)
    revision = book.revision(statement.billing_period) + 1
    documents = _documents(statement, due, _replaced(statement, book))
    if final:
        documents = (_numbered(each, statement, revision) for each in documents)
    return DocumentSet(
        billing_period=statement.billing_period,
        by=statement.bill_to_type,
        revision=revision,
        documents=tuple(documents),
        clearing=(*_clearing_of_charges(statement, sellers), *due.clearing),
    )


def due_to_sellers(answers: Answers, view: View) -> dict[tuple[str, str], Decimal]:
    """What a month's bill comes to by currency and billing entity, exact."""
    found: dict[tuple[str, str], Decimal] = {}
    for currency in answers.bill(view.month).totals:
        mine = View(view.month, currency, view.rows)
        for row in bill_by_product(answers, mine, None).to_pylist():
            at = (currency, row["billing_entity"])
            found[at] = exact_sum((found.get(at, ZERO), row["cost"]))
    return found


def _due(by: str, book: Book, corrected: list[Corrected]) -> _Due:
    """What closed months charge now, less what was posted of them."""
    found: dict[Unit, list[Correction]] = {}
    clearing: list[Clearing] = []
    for month in sorted(corrected, key=lambda each: each.month):
        posted = book.posted(month.month, by)
        charged = month.to_post(posted)
        amounts = corrections(posted, charged)
        for at, amount in amounts.items():
            correction = Correction(
                billing_period=month.month,
                original_document_id=posted.get(at, NOTHING).document_id,
                amount=amount,
                exact=charged.get(at, ZERO),
                attribution=month.attributed(at, posted),
            )
            found.setdefault(at, []).append(correction)
        clearing += _clearing_of_corrections(month, by, book, amounts)
    return _Due(found, tuple(clearing))


def _documents(statement: Statement, due: _Due, replaced: Mapping[Unit, str]) -> Iterator[Document]:
    """One for each charge of the month, and one for each unit that only corrections concern."""
    charges = {(each.currency, each.bill_to): each for each in statement.charges}
    exact = statement.exact_charges()
    adjusted = {at for at, found in due.corrections.items() if any(each.amount for each in found)}
    for at in sorted(charges.keys() | adjusted, key=unallocated_last):
        charge = charges.get(at) or no_charge(*at, statement.bill_to_type)
        yield Document(
            document_type="CHARGE" if at in charges else "ADJUSTMENT",
            document_id="",
            replaces=replaced.get(at, ""),
            bill_to=at[1],
            cost_center=charge.cost_center,
            currency=at[0],
            total_charge=charge.total,
            tax_amount=charge.amounts[TAX],
            exact=exact.get(at, ZERO),
            corrections=tuple(due.corrections.get(at, ())),
        )


def _numbered(document: Document, statement: Statement, revision: int) -> Document:
    """The document with an id of its own, made of all that it says and of its place."""
    place = (statement.bill_to_type, str(revision), statement.methodology)
    said = document_id(statement.billing_period, *place, document.model_dump_json())
    return document.model_copy(update={"document_id": said})


def _replaced(statement: Statement, book: Book) -> dict[Unit, str]:
    """The documents of the revision that was withdrawn, by currency and unit."""
    before = book.withdrawn.get(statement.billing_period)
    if before is None or statement.bill_to_type not in before.record.by:
        return {}
    documents = before.documents(statement.bill_to_type).by_unit()
    return {at: each.document_id for at, each in documents.items()}


def _clearing_of_charges(statement: Statement, sellers: BySeller) -> Iterator[Clearing]:
    for currency in statement.bill:
        whole = exact_sum(statement.totals(currency))
        yield from _clearing(statement.billing_period, currency, sellers, {}, whole)


def _clearing_of_corrections(
    month: Corrected, by: str, book: Book, amounts: Mapping[Unit, Decimal]
) -> Iterator[Clearing]:
    cleared = book.cleared(month.month, by)
    for currency in sorted({currency for currency, _ in amounts}):
        whole = exact_sum(amount for at, amount in amounts.items() if at[0] == currency)
        yield from _clearing(month.month, currency, month.sellers, cleared, whole)


def _clearing(
    month: str, currency: str, sellers: BySeller, cleared: BySeller, whole: Decimal
) -> Iterator[Clearing]:
    """What is due to each seller beyond what was posted; in cents, comes to `whole`."""
    names = sorted({entity for each, entity in {*sellers, *cleared} if each == currency}) or [""]
    exact = [sellers.get((currency, name), ZERO) for name in names]
    before = [cleared.get((currency, name), ZERO) for name in names]
    posted = in_cents(exact, whole + exact_sum(before))
    for name, now, then in zip(names, posted, before, strict=True):
        if now != then:
            yield Clearing(
                billing_period=month, currency=currency, billing_entity=name, amount=now - then
            )
