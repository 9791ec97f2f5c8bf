"""The entries of a ledger: months that were closed or reopened, each with the hash of the last.

An entry is one object, `entries/000001.json`; making it is the moment at which a month is closed.
What it speaks of was written before: `close.json` names every file of the close with its SHA-256.
So nothing of a closed month can be changed or taken away without `verify` telling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback.billing_period import UtcMoment
from chargeback.ledger.ledger import Ledger
from chargeback.ledger.objects import LedgerProblem, Objects

ENTRIES = "entries/"
CLOSE = "close.json"


class Entry(BaseModel):
    """A month that was closed, or reopened."""

    model_config = ConfigDict(frozen=True)

    number: int
    """From 1."""
    kind: Literal["close", "reopen"]
    billing_period: str
    revision: int
    """How often the month was closed, with this one; of a reopening that which it withdraws."""
    payer_account_ids: tuple[str, ...]
    """Whose bill it is."""
    who: str
    when: UtcMoment
    note: str
    """What whoever closed, or reopened, said of it."""
    folder: str = ""
    """Where the files of a close lie, ends with a `/`."""
    close_sha256: str = ""
    """Of its close.json."""
    previous: str = ""
    """SHA-256 of the entry before; '' in the first."""

    @property
    def name(self) -> str:
        """Of the object that it is."""
        return name_of(self.number)


class ClosedFile(BaseModel):
    """A file of a close."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    bytes: int


class _Close(BaseModel):
    """What of close.json proves the files."""

    files: tuple[ClosedFile, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not what was written."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def read_entries(objects: Objects) -> list[Entry]:
    """All entries, oldest first.

    Raises:
        LedgerProblem: one is not readable, or missing among others.
        OSError: the ledger can't be read.
    """
    entries = []
    for number, name in enumerate(objects.names(ENTRIES), start=1):
        entry = _entry(objects.read(name))
        if entry is None or entry.number != number:
            raise LedgerProblem(
                f"The ledger's entry {name} is missing or can't be read.",
                "Closed months can't be shown or relied on.",
                "Restore the ledger from its backup, then run verify.",
            )
        entries.append(entry)
    return entries


def closed_months(objects: Objects) -> frozenset[str]:
    """The billing periods that are closed. Raises LedgerProblem, OSError."""
    newest = {entry.billing_period: entry.kind for entry in read_entries(objects)}
    return frozenset(month for month, kind in newest.items() if kind == "close")


def link_of(objects: Objects, entries: Sequence[Entry]) -> str:
    """What the next entry has to name as the one before it. Raises OSError."""
    return _hash(objects.read(entries[-1].name)) if entries else ""


def append(objects: Objects, entry: Entry) -> bool:
    """Adds an entry; False if somebody else added one of its number. Raises OSError."""
    return objects.create(entry.name, entry.model_dump_json(indent=2).encode() + b"\n")


def verify(ledger: Ledger, *, files: bool = True) -> Broken | None:
    """The first entry that is not as it was written; None if all are.

    The list of changes tells how many entries there have to be: of the last, nothing else does.

    Args:
        ledger: which one.
        files: whether the files of each close are read, too: all that was ever frozen.
    """
    objects, previous, number = ledger.objects, "", 0
    for number, name in enumerate(objects.names(ENTRIES), start=1):
        content = objects.read(name)
        if broken := _broken(number, name, content, previous):
            return broken
        if files and (broken := _broken_files(objects, name, content)):
            return broken
        previous = _hash(content)
    told = told_of(ledger)
    if told > number:
        return Broken(name_of(number + 1), "it is gone")
    # A crash may have come between an entry and its line.
    if told < number - 1:
        return Broken(name_of(told + 1), "the list of changes does not tell of it")
    return None


def _broken(number: int, name: str, content: bytes, previous: str) -> Broken | None:
    """What of an entry is not as it was written."""
    entry = _entry(content)
    if entry is None:
        return Broken(name, "it is no entry")
    if entry.number != number or entry.name != name:
        return Broken(name_of(number), "it is gone")
    if entry.previous != previous:
        return Broken(name, "it does not follow the entry before")
    return None


def _broken_files(objects: Objects, name: str, content: bytes) -> Broken | None:
    """Which file of an entry's close is not as it was written."""
    why = next(_faults(objects, Entry.model_validate_json(content)), "")
    return Broken(name, why) if why else None


def told_of(ledger: Ledger) -> int:
    """The number of the newest entry that the list of changes tells of; 0 for none."""
    told = (each["after"] for each in ledger.changes() if isinstance(each["after"], dict))
    numbers = (said.get("entry") for said in told)
    return max((number for number in numbers if isinstance(number, int)), default=0)


def name_of(number: int) -> str:
    """Of the object that is the entry of a number."""
    return f"{ENTRIES}{number:06d}.json"


def _faults(objects: Objects, entry: Entry) -> Iterator[str]:
    """What of the files of a close is not as it was written."""
    if entry.kind != "close":
        return
    said = _read(objects, f"{entry.folder}{CLOSE}")
    if said is None or _hash(said) != entry.close_sha256:
        yield f"{entry.folder}{CLOSE} is gone or was changed"
        return
    for file in _Close.model_validate_json(said).files:
        content = _read(objects, f"{entry.folder}{file.name}")
        if content is None or _hash(content) != file.sha256:
            yield f"{entry.folder}{file.name} is gone or was changed"


def _read(objects: Objects, name: str) -> bytes | None:
    try:
        return objects.read(name)
    except FileNotFoundError:
        return None


def _entry(content: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(content)
    except ValidationError:
        return None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
