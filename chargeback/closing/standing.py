"""Where each month stands: open, provisional, invoiced, closed, or restated since it was closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from chargeback.billing_period import is_over
from chargeback.closing.book import Book, ClosedMonth
from chargeback.closing.restated import MonthRestatement
from chargeback.closing.restated_cents import (
    by_cause,
    currencies,
    difference,
    due,
    moved_between_units,
)
from chargeback.closing.statements import Statements
from chargeback.formats import money, month_name, signed_money
from chargeback.money import ZERO, exact_sum
from chargeback.notices import Notice, notice
from chargeback.reports.period_status import INVOICED, status_of
from chargeback.statement.restated_lines import ATTRIBUTION, UNCHANGED

State = Literal["open", "provisional", "invoiced", "closed", "restated"]
Totals = Mapping[str, Decimal]
"""By currency."""


@dataclass(frozen=True)
class Standing:
    """Where one month stands."""

    month: str
    state: State
    bill: Totals
    """As it was closed, or as it is now; exact."""
    closed: ClosedMonth | None = None
    found: tuple[MonthRestatement, ...] = ()
    """How it differs now, by each kind of unit that it was closed by; empty where it does not."""
    difference: Totals = field(default_factory=dict)
    """How much more it comes to now, in cents; zero where only who pays changed."""


def standing(statements: Statements, month: str) -> Standing:
    """Where a month of the store or the ledger stands. Raises Problem."""
    closed, now = statements.book.find(month), statements.now
    if closed is not None:
        return _closed(statements, closed)
    if now is None:
        raise ValueError("a month that is not closed is in the store")
    status = status_of(now, month, statements.today)
    state: State = "invoiced" if status == INVOICED else "provisional"
    return Standing(
        month=month,
        state=state if is_over(month, statements.today) else "open",
        bill=now.bill(month).totals,
    )


def posted_since(book: Book, month: str, by: str) -> dict[str, Totals]:
    """What later closes posted of a month: by the month that it was posted with."""
    return {
        closed.month: _by_currency(
            (document.currency, each.amount)
            for document in closed.documents(by).documents
            for each in document.corrections
            if each.billing_period == month and each.amount
        )
        for closed in book.closed
        if closed.month > month and by in closed.record.by
    }


def restated_notices(statements: Statements, month: str) -> Iterator[Notice]:
    """What must be known of a closed month whose bill has changed since; nothing of any other."""
    if statements.book.find(month) is None:
        return
    at = standing(statements, month)
    if at.state == "restated":
        place = place_of(statements, at)
        yield notice("restated", change=change_in_words(at), place=place)
    if any(each.program_differs for each in _found(statements, month)):
        yield notice("program-differs")


def change_in_words(at: Standing) -> str:
    """'+$7.00 (late usage +$12.00, credit -$5.00)'."""
    found = at.found[0]
    return "; ".join(_of_currency(found, currency) for currency in currencies(found))


def place_of(statements: Statements, at: Standing) -> str:
    """Where the difference of a restated month stands, in a few words."""
    if any(due(statements.book, each) for each in at.found):
        month = statements.posting_month
        if not month:
            return "no open month can take the difference yet"
        return f"the difference is posted when {month_name(month)} is closed"
    by = at.found[0].by
    months = [each for each, sums in posted_since(statements.book, at.month, by).items() if sums]
    if not months:
        return "none of the difference is posted"
    return f"the difference was posted with {' and '.join(map(month_name, months))}"


def _closed(statements: Statements, closed: ClosedMonth) -> Standing:
    found = _found(statements, closed.month)
    restated = [each for each in found if any(each.restatement.differences.values())]
    if not restated:
        return Standing(closed.month, "closed", closed.record.bill, closed)
    first = restated[0]
    return Standing(
        month=closed.month,
        state="restated",
        bill=closed.record.bill,
        closed=closed,
        found=tuple(restated),
        difference={each: difference(first, each) for each in currencies(first)},
    )


def _found(statements: Statements, month: str) -> list[MonthRestatement]:
    kinds = statements.book.require(month).record.by
    found = (statements.restatement(month, by) for by in kinds)
    return [each for each in found if each is not None]


def _by_currency(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = exact_sum((found.get(currency, ZERO), amount))
    return found


def _of_currency(found: MonthRestatement, currency: str) -> str:
    causes = [
        f"{each.name} {signed_money(each.difference, currency)}"
        for each in by_cause(found, currency)
        if each.name not in {ATTRIBUTION, UNCHANGED}
    ]
    if moved := moved_between_units(found, currency):
        causes.append(f"{money(moved, currency)} charged to other units")
    return f"{signed_money(difference(found, currency), currency)} ({', '.join(causes)})"
