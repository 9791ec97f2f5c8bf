"""How an entry is added to the ledger: problems have names, and the list of changes tells of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from chargeback.access.change import Actor
from chargeback.closing.book import Book
from chargeback.errors import Problem
from chargeback.ledger.chain import Entry, append, told_of, verify
from chargeback.ledger.change_lines import CUT_SHORT_LINE
from chargeback.ledger.ledger import Ledger
from chargeback.ledger.objects import LedgerProblem

LOG = logging.getLogger(__name__)
WORDS = {"close": "closed", "reopen": "reopened"}


def add(ledger: Ledger, book: Book, entry: Entry, actor: Actor) -> None:
    """Adds an entry to a ledger that is still as the book says, and writes it down.

    Lines that a crash kept from being written come first.

    Raises:
        Problem: somebody else was faster.
        OSError: it can't be written.
    """
    for missing in book.entries[told_of(ledger) :]:
        _write_down(ledger, missing, missing.who)
    if not append(ledger.objects, entry):
        raise Problem(
            "Somebody else closed or reopened a month meanwhile: "
            f"{entry.billing_period} is as they left it.",
            "Nothing was changed.",
            "Look at where the months stand, then try again.",
        )
    try:
        _write_down(ledger, entry, str(actor))
    except OSError as error:  # the entry stands all the same; the next one writes this line
        why = error.strerror or error
        LOG.warning("It could not be written down in the list of changes yet: %s.", why)


def require_whole(ledger: Ledger) -> None:
    """Lets a ledger pass whose entries and changes are as written; the files are for `verify`.

    A line that a crash cut short is no damage: the next line takes it off the end, and keeps it.

    Raises:
        LedgerProblem: something was changed or is gone.
    """
    fault = verify(ledger, files=False) or ledger.verify_changes()
    if fault and fault.why != CUT_SHORT_LINE:
        raise LedgerProblem(
            f"The ledger is not as it was written: {fault}.",
            "Nothing was closed or reopened.",
            "Restore the ledger from its backup, then run verify.",
        )


@contextmanager
def writing(month: str, ledger: Ledger) -> Iterator[None]:
    """Names what the disk, or S3, refuses."""
    try:
        yield
    except OSError as error:
        raise Problem(
            f"{ledger.objects.place} can't be written: {error.strerror or error}.",
            f"{month} is as it was before.",
            "Check its free space and permissions, then try again.",
        ) from error


def _write_down(ledger: Ledger, entry: Entry, who: str) -> None:
    ledger.record(
        who=who,
        what=f"{WORDS[entry.kind]} {entry.billing_period}",
        before={"entry": entry.number - 1},
        after={"entry": entry.number, "revision": entry.revision, "note": entry.note},
    )
