"""Documents of as many lines as a ledger takes in one, each balanced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from chargeback.errors import Problem
from chargeback.money import EXACT, ZERO
from chargeback.statement.journal.model import Journal, JournalDocument, JournalLine, Posting, total

Lines = tuple[JournalLine, ...]


def documents_of(journal: Journal, line_limit: int) -> list[JournalDocument]:
    """All documents of a journal, none with more lines than the limit; 0 for no limit.

    Raises:
        Problem: the limit leaves no room for a unit's line beside those that clear it.
    """
    return [
        JournalDocument(journal.month, journal.by, journal.revision, posting, at, len(parts), lines)
        for posting in journal.postings
        for parts in [list(_parts(posting, line_limit))]
        for at, lines in enumerate(parts, start=1)
    ]


def _parts(posting: Posting, line_limit: int) -> Iterator[Lines]:
    whole = _filled((*posting.units, *posting.clearing))
    if not line_limit or len(whole) <= line_limit:
        yield whole
        return
    room = line_limit - len(posting.clearing)
    if room < 1:
        raise Problem(
            f"A journal entry of at most {line_limit} lines has no room beside the "
            f"{len(posting.clearing)} that clear it.",
            "No file was written.",
            "Use a profile with a greater line_limit.",
        )
    left = list(posting.clearing)
    *parts, last = _chunks(posting.units, room)
    for units in parts:
        yield _filled((*units, *_drawn(units, left)))
    yield _filled((*last, *left))


def _drawn(units: Lines, left: list[JournalLine]) -> Iterator[JournalLine]:
    """What clears some units' lines, period by period; it is taken off what is left to clear."""
    for period in dict.fromkeys(line.billing_period for line in units):
        needed = -total(line for line in units if line.billing_period == period)
        places = [at for at, line in enumerate(left) if line.billing_period == period]
        shares = _shares(needed, [left[at].amount for at in places])
        for at, share in zip(places, shares, strict=True):
            yield replace(left[at], amount=share)
            left[at] = replace(left[at], amount=EXACT.subtract(left[at].amount, share))


def _shares(needed: Decimal, amounts: Sequence[Decimal]) -> list[Decimal]:
    """As much as is needed of amounts in turn, none beyond its own; the first takes the rest.

    A part can need more than there is: another, of credits, gives it back.
    """
    shares = []
    for amount in amounts:
        least, most = min(amount, ZERO), max(amount, ZERO)
        shares.append(min(max(needed, least), most))
        needed = EXACT.subtract(needed, shares[-1])
    return [EXACT.add(shares[0], needed), *shares[1:]]


def _filled(lines: Lines) -> Lines:
    return tuple(line for line in lines if line.amount)


def _chunks(lines: Lines, size: int) -> list[Lines]:
    return [lines[at : at + size] for at in range(0, len(lines), size)]
