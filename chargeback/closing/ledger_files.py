"""What a ledger takes of a month: the documents of its close, or an accrual and its reversal."""

from __future__ import annotations

from datetime import date

from chargeback.closing.statements import Statements
from chargeback.errors import Problem
from chargeback.reports.view import View
from chargeback.statement.accrual import Accrual, build_accrual
from chargeback.statement.accrual_documents import accrual_documents, posting_dates, reversal_of
from chargeback.statement.documents import DocumentSet
from chargeback.statement.journal.accounts import read_accounts
from chargeback.statement.journal.build import journal
from chargeback.statement.journal.model import Journal, one_journal
from chargeback.statement.journal.settings import JournalSettings


def accrual_of(statements: Statements, month: str, by: str) -> Accrual:
    """What an open month is likely to come to. Raises Problem, of a closed month too."""
    return build_accrual(
        statements.answers(month),
        View.of_month(month, statements.rows),
        by,
        statements.today,
        statements.allocation(month),
        is_closed=statements.book.find(month) is not None,
    )


def accrued(statements: Statements, month: str, by: str) -> list[DocumentSet]:
    """The documents of an open month's accrual, and those that reverse it. Raises Problem."""
    documents = accrual_documents(accrual_of(statements, month, by))
    return [documents, reversal_of(documents)]


def posted(statements: Statements, month: str, by: str) -> list[DocumentSet]:
    """The documents that the close of a month posted.

    Raises:
        Problem: the month is open, or was closed by other kinds of unit.
    """
    closed = statements.book.find(month)
    if closed is None:
        raise Problem(
            f"{month} is not closed: its charges may still change.",
            "No journal was written.",
            "Close the month first, or write its accrual with --accrual.",
        )
    if by not in closed.record.by:
        raise Problem(
            f"{month} was closed by {', '.join(closed.record.by)}: nothing was posted by {by}.",
            "No journal was written.",
            "Choose one of them; `by` in the section [close] says which apply to the next close.",
        )
    return [closed.documents(by)]


def journal_of(sets: list[DocumentSet], settings: JournalSettings, posting_date: date) -> Journal:
    """One journal of documents that are posted together. Raises Problem."""
    accounts = read_accounts(settings.accounts)
    return one_journal([journal(each, settings, accounts, posting_date) for each in sets])


def posting_day(month: str) -> date:
    """When a month is posted unless somebody says otherwise: on its last day."""
    return posting_dates(month)[0]
