"""The closed months of a ledger: what each froze, and what was posted of it since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from chargeback.access.rows import EVERYTHING, Rows
from chargeback.billing_period import UtcMoment
from chargeback.errors import UsageProblem
from chargeback.files.atomic import sha256_of
from chargeback.ledger.chain import CLOSE, ENTRIES, ClosedFile, Entry, read_entries
from chargeback.ledger.objects import LedgerProblem, Objects
from chargeback.statement.adjustments import NOTHING, Posted, Unit
from chargeback.statement.build import Statement
from chargeback.statement.documents import Despite, DocumentSet
from chargeback.statement.frozen import thaw

STATEMENT = "statement.json"


class CloseRecord(BaseModel):
    """What close.json says."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    program_version: str
    billing_period: str
    revision: int
    who: str
    when: UtcMoment
    note: str
    despite: tuple[Despite, ...]
    said: tuple[str, ...]
    """What a reader must know, and did not stand in the way."""
    period_status: str
    """The month's before it was closed."""
    data_as_of: UtcMoment
    payer_account_ids: tuple[str, ...]
    by: tuple[str, ...]
    bill: dict[str, Decimal]
    methodology_version: str
    files: tuple[ClosedFile, ...]
    previous: str
    """SHA-256 of the ledger's entry before; '' for the first."""


@dataclass(frozen=True)
class ClosedMonth:
    """One close that stands: a month, as it was frozen."""

    entry: Entry
    record: CloseRecord
    objects: Objects

    def __hash__(self) -> int:
        return hash(self.entry.close_sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClosedMonth) and other.entry == self.entry

    @property
    def month(self) -> str:
        """YYYY-MM."""
        return self.entry.billing_period

    def names(self) -> list[str]:
        """Of its files, within its folder."""
        return [file.name for file in self.record.files]

    def read(self, name: str) -> bytes:
        """One of its files, or close.json itself.

        Raises:
            LedgerProblem: it is not what was frozen.
            OSError: it can't be read.
        """
        try:
            content = self.objects.read(f"{self.entry.folder}{name}")
        except FileNotFoundError as error:
            raise self._not_frozen(name) from error
        if hashlib.sha256(content).hexdigest() != self._digests.get(name):
            raise self._not_frozen(name)
        return content

    def download(self, name: str, file: Path) -> None:
        """Writes one of its files to disk. Raises the same."""
        try:
            self.objects.download(f"{self.entry.folder}{name}", file)
        except FileNotFoundError as error:
            raise self._not_frozen(name) from error
        if sha256_of(file) != self._digests.get(name):
            raise self._not_frozen(name)

    def _not_frozen(self, name: str) -> LedgerProblem:
        return LedgerProblem(
            f"{name} of the close of {self.month} is not what was frozen.",
            "It is not handed out, and nothing is worked out from it.",
            "Run verify, and restore the ledger from its backup.",
        )

    @cached_property
    def _digests(self) -> Mapping[str, str]:
        digests = {file.name: file.sha256 for file in self.record.files}
        return {CLOSE: self.entry.close_sha256, **digests}

    def statement(self, by: str, rows: Rows = EVERYTHING) -> Statement:
        """The statement that was frozen, by one of the kinds of unit of its record."""
        frozen = _statement(self, by)
        return replace(frozen, view=replace(frozen.view, rows=rows))

    def documents(self, by: str) -> DocumentSet:
        """What it posted by one of the kinds of unit of its record."""
        found = _statement(self, by).documents
        if found is None:
            raise ValueError("what was frozen has documents")
        return found


@lru_cache(maxsize=64)
def _statement(closed: ClosedMonth, by: str) -> Statement:
    return thaw(closed.read(f"{by}/{STATEMENT}"), EVERYTHING)


@dataclass(frozen=True)
class Book:
    """A state of the ledger."""

    entries: Sequence[Entry]
    closed: Sequence[ClosedMonth]
    """The closes that stand, oldest first: one a month, without those that were withdrawn."""
    withdrawn: Mapping[str, ClosedMonth]
    """By month: of the months that are open again, what was closed last."""

    @property
    def key(self) -> str:
        """Changes with every entry."""
        return self.entries[-1].model_dump_json() if self.entries else ""

    @property
    def newest(self) -> ClosedMonth | None:
        """The newest month that is closed."""
        return self.closed[-1] if self.closed else None

    @property
    def payers(self) -> frozenset[str]:
        """Whose bill it is; empty without an entry."""
        return frozenset(self.entries[0].payer_account_ids if self.entries else ())

    @cached_property
    def _by_month(self) -> Mapping[str, ClosedMonth]:
        return {each.month: each for each in self.closed}

    def find(self, month: str) -> ClosedMonth | None:
        """A month's close that stands."""
        return self._by_month.get(month)

    def require(self, month: str) -> ClosedMonth:
        """A month's close that stands. Raises UsageProblem if there is none."""
        closed = self.find(month)
        if closed is None:
            raise UsageProblem(f"{month} is not closed.", todo="Close it first.")
        return closed

    def revision(self, month: str) -> int:
        """How often the month was closed."""
        return sum(each.kind == "close" and each.billing_period == month for each in self.entries)

    def posted(self, month: str, by: str) -> dict[Unit, Posted]:
        """What was posted to each unit of a closed month; empty where it was not posted `by`."""
        found: dict[Unit, Posted] = {}
        for closed in self._posting(month, by):
            for document in closed.documents(by).documents:
                at = (document.currency, document.bill_to)
                if closed.month == month:
                    found[at] = Posted(document.total_charge, document.exact, document.document_id)
                for each in document.corrections:
                    if each.billing_period == month:
                        before = found.get(at, NOTHING)
                        found[at] = Posted(
                            before.amount + each.amount,
                            each.exact,
                            before.document_id,
                            each.attribution,
                        )
        return found

    def cleared(self, month: str, by: str) -> dict[tuple[str, str], Decimal]:
        """By currency and billing entity: what was posted as due to sellers of a closed month."""
        found: dict[tuple[str, str], Decimal] = {}
        for closed in self._posting(month, by):
            for each in closed.documents(by).clearing:
                if each.billing_period == month:
                    at = (each.currency, each.billing_entity)
                    found[at] = found.get(at, Decimal("0.00")) + each.amount
        return found

    def is_corrected(self, month: str, by: str) -> bool:
        """Whether a later close posted corrections of a closed month."""
        return any(
            each.billing_period == month and each.amount
            for closed in self._posting(month, by)
            for document in closed.documents(by).documents
            for each in document.corrections
        )

    def _posting(self, month: str, by: str) -> Iterator[ClosedMonth]:
        """The close of a month and those after it, which may correct it."""
        own = self.find(month)
        if own is None or by not in own.record.by:
            return
        for closed in self.closed:
            if closed.month >= month and by in closed.record.by:
                yield closed


def open_book(objects: Objects) -> Book:
    """The ledger as it is now.

    The newest entry tells all those before it, as each names the hash of the one before: while it
    is the same, nothing else is read.

    Raises:
        LedgerProblem: it can't be relied on.
        OSError: it can't be read.
    """
    names = objects.names(ENTRIES)
    newest = objects.read(names[-1]) if names else b""
    return _book(_State(objects.place, tuple(names), newest, objects))


@dataclass(frozen=True)
class _State:
    """What tells one state of a ledger from another."""

    place: str
    names: tuple[str, ...]
    newest: bytes
    objects: Objects = field(compare=False)


@lru_cache(maxsize=4)
def _book(state: _State) -> Book:
    entries = read_entries(state.objects)
    closed: dict[str, ClosedMonth] = {}
    withdrawn: dict[str, ClosedMonth] = {}
    for entry in entries:
        month = entry.billing_period
        if entry.kind == "close":
            record = _record(state.objects, entry)
            closed[month] = ClosedMonth(entry, record, state.objects)
            withdrawn.pop(month, None)
        else:
            withdrawn[month] = closed.pop(month)
    return Book(entries, [closed[month] for month in sorted(closed)], withdrawn)


def _record(objects: Objects, entry: Entry) -> CloseRecord:
    return CloseRecord.model_validate_json(objects.read(f"{entry.folder}{CLOSE}"))


def require_same_bill(book: Book, payers: frozenset[str]) -> None:
    """Lets the bill of the ledger's payer accounts pass; a month without lines is anybody's.

    Raises:
        UsageProblem: it is the bill of others.
    """
    if payers and book.payers and not payers & book.payers:
        raise UsageProblem(
            f"This ledger is of payer account {', '.join(sorted(book.payers))}, but the bill is of "
            f"{', '.join(sorted(payers))}.",
            "Nothing was changed.",
            "Set CHARGEBACK_LEDGER to the ledger of this bill, or to a new folder.",
        )
