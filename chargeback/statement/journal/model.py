"""A journal: lines with signed amounts, in documents that each balance to the cent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from chargeback.money import ZERO, exact_sum
from chargeback.statement.documents import DocumentType, document_id


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One amount on one account."""

    account: str
    dimensions: Mapping[str, str]
    """By name: the cost center, and what else the list of accounts has."""
    amount: Decimal
    """Cents; a debit is positive, a credit negative."""
    text: str
    billing_period: str
    """Whose bill it is of: the month's, or an earlier one's that it corrects."""
    unit: str = ""
    """Who is charged; '' on a clearing account."""
    statement_id: str = ""
    """The document that tells the unit of it; '' on a clearing account."""
    original_id: str = ""
    """The document that it corrects or reverses, or stands for after a month was closed again."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What is posted in one currency on one day: lines of units, and those that clear them.

    Both come to nothing together in each billing period. A period of which units alone settle
    everything has a clearing line of 0.00: parts of the posting can need one.
    """

    kind: DocumentType
    """CHARGE, of adjustments too; ACCRUAL or ACCRUAL_REVERSAL."""
    currency: str
    posting_date: date
    text: str
    units: tuple[JournalLine, ...]
    clearing: tuple[JournalLine, ...]


@dataclass(frozen=True)
class JournalDocument:
    """A posting, or a part of one: what a ledger takes as one journal entry."""

    month: str
    by: str
    revision: int
    posting: Posting
    part: int
    """From 1."""
    parts: int
    lines: tuple[JournalLine, ...]
    """None of 0.00; they come to nothing."""

    @cached_property
    def document_id(self) -> str:
        """The same for the same content, and for no other; 20 characters."""
        return document_id(self.month, "journal", json.dumps(list(self._content())))

    @property
    def text(self) -> str:
        """What it is, for people."""
        part = f", part {self.part} of {self.parts}" if self.parts > 1 else ""
        return f"{self.posting.text}{part}"

    @property
    def debits(self) -> Decimal:
        """What its debits come to, which is what its credits do."""
        return exact_sum(max(line.amount, ZERO) for line in self.lines)

    def _content(self) -> Iterator[object]:
        yield from (self.by, self.revision, self.posting.kind, self.posting.currency)
        yield from (self.posting.posting_date.isoformat(), self.text)
        for line in self.lines:
            yield from (line.account, sorted(line.dimensions.items()), f"{line.amount:.2f}")
            yield from (line.text, line.unit, line.statement_id, line.original_id)


@dataclass(frozen=True, slots=True)
class Journal:
    """All that is posted of a month made out to one kind of unit."""

    month: str
    by: str
    """A key of CHARGED."""
    revision: int
    postings: tuple[Posting, ...]

    @property
    def currencies(self) -> list[str]:
        """Those that anything is posted in, each once."""
        return sorted({posting.currency for posting in self.postings})


def one_journal(journals: Sequence[Journal]) -> Journal:
    """Journals of one month as one, in their order: an accrual and its reversal."""
    postings = (posting for each in journals for posting in each.postings)
    return replace(journals[0], postings=tuple(postings))


def total(lines: Iterable[JournalLine]) -> Decimal:
    """Debits less credits, in cents."""
    return exact_sum(line.amount for line in lines)
