"""Reopening the newest closed month; an older one is corrected by adjustments."""

from __future__ import annotations

from chargeback.access.change import Actor, require_change
from chargeback.billing_period import now
from chargeback.closing.entries import add, require_whole, writing
from chargeback.closing.statements import Statements
from chargeback.errors import UsageProblem
from chargeback.ledger.chain import Entry, link_of


def reopen_month(statements: Statements, month: str, actor: Actor, reason: str) -> Entry:
    """Withdraws the newest close: what it posted is unposted, and stands in the next one again.

    Raises:
        ChangeRefused: they may not.
        UsageProblem: the month is not the newest that is closed, or there is no reason.
        Problem: somebody else was faster, or it can't be written.
    """
    workspace, book = statements.workspace, statements.book
    require_change(actor, workspace.settings, f"reopen {month}")
    require_whole(workspace.ledger)
    if why := why_not_to_reopen(statements, month):
        raise UsageProblem(why, "Nothing was reopened.")
    if not reason.strip():
        raise UsageProblem("A month is reopened with a reason.", todo="Say why.")
    closed, ledger = book.closed[-1], workspace.ledger
    with writing(month, ledger):
        entry = Entry(
            number=len(book.entries) + 1,
            kind="reopen",
            billing_period=month,
            revision=closed.entry.revision,
            payer_account_ids=closed.entry.payer_account_ids,
            who=str(actor),
            when=now(),
            note=reason,
            previous=link_of(ledger.objects, book.entries),
        )
        add(ledger, book, entry, actor)
    return entry


def why_not_to_reopen(statements: Statements, month: str) -> str:
    """Why a month can't be reopened, in a sentence; '' if it can."""
    newest = statements.book.newest
    if newest is None or not statements.book.find(month):
        return f"{month} is not closed."
    if newest.month != month:
        return (
            f"Only the newest closed month, {newest.month}, can be reopened; {month} is corrected "
            "by adjustments."
        )
    return ""
