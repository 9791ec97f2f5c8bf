"""Whether the ledger can be relied on, and is that of this bill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chargeback.closing.statements import book_of
from chargeback.doctor.check import Check, count
from chargeback.ledger.chain import verify
from chargeback.workspace import Workspace

NAME = "Ledger"
VERIFY = "python -m chargeback verify"


def examine_ledger(workspace: Workspace, now: datetime) -> Iterator[Check]:
    """Its entries and its list of changes; the files of each close are read by `verify` alone."""
    del now
    place, ledger = workspace.ledger.objects.place, workspace.ledger
    if fault := verify(ledger, files=False) or ledger.verify_changes():
        yield Check(
            NAME,
            "problem",
            f"{place} is not as it was written: {fault}",
            "Closed months from there on can't be relied on.",
            "Restore the ledger from its backup, then verify it.",
            VERIFY,
        )
        return
    book = book_of(workspace, workspace.answers())
    if book.newest is None:
        yield Check(NAME, "ok", f"{place}: no month is closed yet")
    else:
        closed = count(book.closed, "month")
        yield Check(NAME, "ok", f"{place}: {closed} closed, the newest {book.newest.month}")
