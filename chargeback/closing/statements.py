"""Every statement of a state of the store and the ledger: frozen, derived, or still open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from chargeback.access.rows import Rows
from chargeback.closing.book import Book, ClosedMonth, open_book, require_same_bill
from chargeback.closing.frozen_facts import Frozen, open_frozen
from chargeback.closing.posting import due_to_sellers, post
from chargeback.closing.restated import MonthRestatement, is_unchanged, restate_month
from chargeback.errors import UsageProblem
from chargeback.memory import Memory
from chargeback.reports.answers import Answers
from chargeback.reports.period_status import CLOSED
from chargeback.reports.view import View
from chargeback.statement.adjustments import Unit
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import (
    Statement,
    build_statement,
    methodology_of,
    with_documents,
)
from chargeback.statement.unit_statement import Charged, charges_of, history_of
from chargeback.store.base import StoredPeriod
from chargeback.workspace import Workspace

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Statements:
    """Worked out when asked for, and once. Safe to share between threads."""

    workspace: Workspace
    book: Book
    now: Answers | None
    """Over the store; None where that holds nothing."""
    rows: Rows
    """What the reader may see."""
    today: date
    _known: Memory = field(default_factory=Memory, repr=False)

    def of(self, month: str, by: str) -> Statement:
        """The statement of a month made out to one kind of unit.

        Raises:
            UsageProblem: neither the store nor the ledger has the month, or `by` is no unit.
            Problem: it can't be worked out.
        """
        return self._once(("statement", month, by), lambda: self._statement(month, by))

    def answers(self, month: str) -> Answers:
        """What the statement of a month was made of: frozen facts where it is closed."""
        closed = self.book.find(month)
        return self._frozen(closed).answers if closed else self._answers_now(month)

    def allocation(self, month: str) -> AllocationSettings:
        """What moves between units in a month: as frozen where it is closed."""
        closed = self.book.find(month)
        return self._frozen(closed).allocation if closed else self.workspace.allocation

    def charged(self, month: str, by: str) -> Mapping[Unit, Charged]:
        """What every unit was charged in a month: as frozen where it is closed."""
        return self._once(("charged", month, by), lambda: charges_of(self.of(month, by)))

    def history(self, month: str, by: str) -> dict[str, Mapping[Unit, Charged]]:
        """The same of the months that a unit's statement looks back on, as far as is known."""
        known = set(self.months)
        return {each: self.charged(each, by) for each in history_of(month) if each in known}

    @property
    def methodology(self) -> str:
        """Of the rules in force."""
        rules = self.workspace.rules if self.now is None else self.now.rules
        return self._once(
            "methodology", lambda: methodology_of(rules.fingerprint, self.workspace.allocation)
        )

    @property
    def months(self) -> list[str]:
        """The months of the store and the ledger, newest first."""
        stored = self.now.months if self.now else []
        return sorted({*stored, *(each.month for each in self.book.closed)}, reverse=True)

    @property
    def posting_month(self) -> str:
        """The oldest open month after the closed ones, which takes corrections; '' without one."""
        newest, stored = self.book.newest, self.now.months if self.now else []
        later = [month for month in stored if newest and month > newest.month]
        return min(later, default="")

    def restatement(self, month: str, by: str) -> MonthRestatement | None:
        """How a closed month differs from the bill now; None where it does not, or is not there."""
        return self._once(("restatement", month, by), lambda: self._restatement(month, by))

    def comparison(self, month: str, by: str) -> MonthRestatement:
        """A closed month and the bill now, also where nothing differs.

        Raises:
            UsageProblem: the store does not hold the month.
        """
        closed, period = self.book.find(month), self._stored(month)
        if closed is None or period is None:
            raise UsageProblem(
                f"The bill no longer includes {month}.", todo="There is nothing to compare it with."
            )
        return restate_month(self.workspace, closed, period, by)

    def restatements(self, by: str) -> Iterator[MonthRestatement]:
        """Of the closed months that differ, by a kind of unit that they were closed by."""
        for closed in self.book.closed:
            if by in closed.record.by and (found := self.restatement(closed.month, by)):
                yield found

    def final(self, month: str, by: str) -> Statement:
        """The statement of an open month as it is posted when it is closed now."""
        return self._open(month, by, final=True)

    def _statement(self, month: str, by: str) -> Statement:
        closed = self.book.find(month)
        if closed is None:
            return self._open(month, by, final=False)
        if by in closed.record.by:
            return closed.statement(by, self.rows)
        return self._derived(closed, by)

    def _open(self, month: str, by: str, *, final: bool) -> Statement:
        answers, view = self._answers_now(month), View.of_month(month, self.rows)
        statement = build_statement(answers, view, by, self.today, self.workspace.allocation)
        if not (final or self.book.entries):
            return statement
        corrected = [each.corrected for each in self.restatements(by)]
        if not final and month != self.posting_month:
            corrected = []
        if final:
            statement = replace(statement, period_status=CLOSED)
        sellers = due_to_sellers(answers, view)
        documents = post(statement, sellers, self.book, corrected, final=final)
        return with_documents(statement, documents)

    def _derived(self, closed: ClosedMonth, by: str) -> Statement:
        """Made out to a kind of unit that nothing was posted to: from what was frozen."""
        frozen, view = self._frozen(closed), View.of_month(closed.month, self.rows)
        made = build_statement(frozen.answers, view, by, self.today, frozen.allocation)
        statement = replace(
            made,
            period_status=CLOSED,
            notices=closed.statement(closed.record.by[0]).notices,
            derived_after_close=True,
        )
        sellers = due_to_sellers(frozen.answers, view)
        return with_documents(statement, post(statement, sellers, self.book, [], final=False))

    def _restatement(self, month: str, by: str) -> MonthRestatement | None:
        closed, period = self.book.find(month), self._stored(month)
        if closed is None or period is None:
            return None
        # What was corrected since has to be taken back where the bill is as it was closed again.
        if is_unchanged(closed, period) and not self.book.is_corrected(month, by):
            return None
        return restate_month(self.workspace, closed, period, by)

    def _stored(self, month: str) -> StoredPeriod | None:
        if self.now is None or month not in self.now.months:
            return None
        return self.now.period(month)

    def _frozen(self, closed: ClosedMonth) -> Frozen:
        store = self.workspace.settings.store_folder
        return self._once(("frozen", closed.month), lambda: open_frozen(closed, store))

    def _answers_now(self, month: str) -> Answers:
        if self.now is None:
            raise UsageProblem(
                f"There is no billing period {month} in the store.", todo="Refresh first."
            )
        return self.now

    def _once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        return self._known.of(key, make)


def book_of(workspace: Workspace, answers: Answers) -> Book:
    """The ledger as it is, if it is that of the bill which these answers are over.

    Raises:
        UsageProblem: it is of another bill.
        LedgerProblem: it can't be relied on.
        OSError: it can't be read.
    """
    book = open_book(workspace.ledger.objects)
    bases = (each for month in answers.months for each in answers.bill(month).cost_basis)
    require_same_bill(book, frozenset(each.payer_account_id for each in bases) - {""})
    return book
