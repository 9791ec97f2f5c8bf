"""How a closed month differs now, in cents that add up: in all, by cause, and by unit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from chargeback.closing.book import Book
from chargeback.closing.restated import MonthRestatement
from chargeback.money import ZERO, cents, exact_sum, in_cents
from chargeback.statement.adjustments import NOTHING, Unit, corrections
from chargeback.statement.restated_lines import ATTRIBUTION, UNCHANGED
from chargeback.statement.restated_steps import CAUSES


@dataclass(frozen=True, slots=True)
class Changed:
    """What a cause or a unit came to when the month was closed, and how much more it does now."""

    name: str
    closed: Decimal
    difference: Decimal

    @property
    def now(self) -> Decimal:
        """What it comes to now."""
        return self.closed + self.difference


def currencies(found: MonthRestatement) -> list[str]:
    """The currencies in which something differs."""
    changed = found.restatement.differences.items()
    return sorted({currency for (currency, _), difference in changed if difference})


def difference(found: MonthRestatement, currency: str) -> Decimal:
    """The bill now less the bill that was closed, each rounded to cents."""
    mine = [each for each in found.restatement.charges if each.currency == currency]
    now, closed = (
        exact_sum(each.current_amount for each in mine),
        exact_sum(each.closed_amount for each in mine),
    )
    return cents(now) - cents(closed)


def moved_between_units(found: MonthRestatement, currency: str) -> Decimal:
    """What other units pay now, of what was billed all along; exact."""
    moved = found.restatement.attribution.items()
    return exact_sum(amount for unit, amount in moved if unit[0] == currency and amount > 0)


def by_cause(found: MonthRestatement, currency: str) -> list[Changed]:
    """A row for each cause that occurs; what did not change comes last."""
    closed: dict[str, list[Decimal]] = defaultdict(list)
    more: dict[str, list[Decimal]] = defaultdict(list)
    for each in found.restatement.charges:
        if each.currency == currency:
            closed[each.cause].append(each.closed_amount)
            more[each.cause].append(each.difference)
    names = [name for name in (*CAUSES, UNCHANGED) if name in closed]
    before = [exact_sum(closed[name]) for name in names]
    differences = [exact_sum(more[name]) for name in names]
    rounded = in_cents(before, cents(exact_sum(before)))
    changed = in_cents(differences, difference(found, currency))
    return [Changed(*each) for each in zip(names, rounded, changed, strict=True)]


def by_unit(book: Book, found: MonthRestatement, currency: str) -> list[Changed]:
    """A row for each unit that is charged otherwise, as it was posted and is still to be."""
    charged = _charged(found)
    more = _held_back(found, currency) if found.holds_attribution_back else _posted(book, found)
    exact = found.restatement.differences
    return [
        Changed(unit[1], charged.get(unit, NOTHING.amount), more.get(unit, NOTHING.amount))
        for unit in exact
        if unit[0] == currency and exact[unit]
    ]


def causes_of_unit(found: MonthRestatement, unit: Unit) -> list[str]:
    """Why a unit is charged otherwise now."""
    return [
        charge.cause
        for charge in found.restatement.charges
        if (charge.currency, charge.bill_to) == unit and charge.cause != UNCHANGED
    ]


def due(book: Book, found: MonthRestatement) -> dict[Unit, Decimal]:
    """What is still to be posted to units of a closed month, in cents; none of it is zero."""
    posted = book.posted(found.closed.month, found.by)
    amounts = corrections(posted, found.corrected.to_post(posted))
    return {unit: amount for unit, amount in amounts.items() if amount}


def in_words(cause: str) -> str:
    """A cause as readers meet it."""
    return {ATTRIBUTION: "who pays"}.get(cause, cause)


def _charged(found: MonthRestatement) -> dict[Unit, Decimal]:
    """What the documents of the close charge, in cents."""
    documents = found.closed.documents(found.by).by_unit()
    return {unit: each.total_charge for unit, each in documents.items()}


def _posted(book: Book, found: MonthRestatement) -> dict[Unit, Decimal]:
    """Beyond the documents of the close: what later ones corrected, and what is due."""
    charged = _charged(found)
    posted, rest = book.posted(found.closed.month, found.by), due(book, found)
    return {
        unit: posted.get(unit, NOTHING).amount
        + rest.get(unit, NOTHING.amount)
        - charged.get(unit, NOTHING.amount)
        for unit in {*posted, *rest}
    }


def _held_back(found: MonthRestatement, currency: str) -> dict[Unit, Decimal]:
    """The differences themselves, as not all of them is posted."""
    exact = found.restatement.differences
    units = [unit for unit in exact if unit[0] == currency]
    rounded = in_cents([exact.get(unit, ZERO) for unit in units], difference(found, currency))
    return dict(zip(units, rounded, strict=True))
