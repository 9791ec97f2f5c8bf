"""What the commands share: the month asked for, what is said on stderr, and how far it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from chargeback.access.change import Actor, machine_user
from chargeback.access.rows import rows_of
from chargeback.billing_period import today
from chargeback.cli.terminal import progress, shown
from chargeback.closing.book import ClosedMonth, open_book
from chargeback.closing.statements import Statements, book_of
from chargeback.errors import Problem, SourceProblem, UsageProblem
from chargeback.notices import Notice, blocking
from chargeback.reports.answers import Answers
from chargeback.reports.period_status import notices_of
from chargeback.workspace import Workspace


def ensure(workspace: Workspace, month: str) -> Problem | None:
    """Brings a month up to date; says on stderr, and returns, why what was read before must do."""
    stale = workspace.ensure(month, progress())
    if stale:
        print(f"chargeback: not up to date: {stale}", file=sys.stderr)
    return stale


def ensure_for_close(workspace: Workspace, month: str) -> Problem | None:
    """The same of `month`, and once months are closed of all: what changed in them counts, too."""
    if open_book(workspace.ledger.objects).closed:
        try:
            workspace.refresh(progress=progress())
        except SourceProblem as stale:
            print(f"chargeback: not up to date: {stale}", file=sys.stderr)
            return stale
    return ensure(workspace, month)


def closed_month(workspace: Workspace, month: str) -> ClosedMonth | None:
    """A month's close, if it is closed."""
    return open_book(workspace.ledger.objects).find(month)


def statements_now(workspace: Workspace) -> Statements:
    """The statements of the store and the ledger as they are, for the machine's user.

    Raises:
        UsageProblem: the ledger is of another bill.
        Problem: one of them can't be read.
    """
    answers = workspace.answers()
    if not answers.months and open_book(workspace.ledger.objects).closed:
        # What was closed needs no bill; but where there is one, it has to be the ledger's.
        with suppress(SourceProblem, UsageProblem):
            workspace.refresh(progress=progress())
            answers = workspace.answers()
    book = book_of(workspace, answers)
    rows = rows_of(Actor(machine_user()))
    return Statements(workspace, book, answers if answers.months else None, rows, today())


def warn(answers: Answers, months: Sequence[str]) -> list[Notice]:
    """Says on stderr what is odd about months; returns what blocks their close."""
    for month, problem in answers.problems.items():
        print(shown(f"chargeback: {month}: {problem}", "utf-8"), file=sys.stderr)
    said = {month: notices_of(answers, month) for month in months if month in answers.months}
    of_the_bill = answers.bill_notices
    for month, notices in said.items():
        for each in notices:
            if each not in of_the_bill:
                print(line_of(month, each), file=sys.stderr)
    for each in of_the_bill:
        print(line_of("the bill", each), file=sys.stderr)
    return blocking(each for notices in said.values() for each in notices)


def line_of(what: str, each: Notice) -> str:
    """A notice as a line of stderr."""
    text = f"chargeback: {what}: {each.severity}: {each.code}: {each.words}"
    return shown(text, sys.stderr.encoding or "utf-8")
