"""A ledger in S3: `changes.jsonl` is put back with a line more if it is still as it was read.

The head is put after it. A line is added only when the head names the last one, whoever has to put
it there: so however many write at once, and wherever they crash, the head is one line behind at
most, as `first_fault` allows. What is read is one moment's: the changes first, then the head, and
the changes are still the same after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from io import BytesIO
from operator import not_
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_random

from chargeback.aws.s3 import S3Place, StoredObject
from chargeback.ledger.bucket import Bucket, s3_problems
from chargeback.ledger.bucket_problems import others_are_faster
from chargeback.ledger.change_lines import (
    CHANGES,
    HEAD,
    Fault,
    entry_of,
    first_fault,
    hash_of,
    hash_to_name,
    line_of,
    said_now,
)

Found = TypeVar("Found")
PATIENCE = 60
"""Seconds for which something is tried again because others were faster."""


class BucketLedger:
    """A place in S3, shared by every machine that is set up alike.

    Args:
        location: s3://bucket/prefix.
        locks: folder on disk for locks, which hold among those who share that folder.
    """

    def __init__(self, location: str, locks: Path) -> None:
        self.objects = Bucket(location)
        self._locks = locks

    def record(self, *, who: str, what: str, before: object, after: object) -> None:
        """Adds a line, and returns once S3 keeps it."""
        say = partial(said_now, who=who, what=what, before=before, after=after)
        with s3_problems():
            _persist(_Line(self.objects.s3, say).add)

    def changes(self) -> Iterator[dict[str, Any]]:
        """What was written down, oldest first; lines that are no entry are left out."""
        with s3_problems():
            found = self.objects.s3.get(CHANGES)
        yield from filter(None, map(entry_of, _lines(found)))

    def verify_changes(self) -> Fault | None:
        """The first line that was changed, removed, put in or cut short; None if none."""
        with s3_problems():
            changes, head = _persist(self._at_one_moment) or (None, None)
        if changes is None:
            return Fault(1, "the file is gone") if head else None
        return first_fault(_lines(changes), _text(head))

    def one_at_a_time(self, what: str) -> AbstractContextManager[object]:
        """Keeps others on this machine from doing the same meanwhile."""
        self._locks.mkdir(parents=True, exist_ok=True)
        return FileLock(self._locks / f"{what}.lock")

    def _at_one_moment(self) -> tuple[StoredObject | None, StoredObject | None] | None:
        changes, head = self.objects.s3.get(CHANGES), self.objects.s3.get(HEAD)
        return (changes, head) if self.objects.s3.get(CHANGES) == changes else None


class _Line:
    """A line that is to be added."""

    def __init__(self, s3: S3Place, say: Callable[[], dict[str, object]]) -> None:
        self._s3, self._say = s3, say
        self._sent = b""

    def add(self) -> bool:
        """Tries once; whether it stands."""
        changes, head = self._s3.get(CHANGES), self._s3.get(HEAD)
        # Whoever wrote the file by other means may have left the last line without its end.
        lines = [line.removesuffix(b"\n") + b"\n" for line in _lines(changes)]
        if self._sent in lines:  # S3 had added it, and its answer was lost
            return True
        last = lines[-1] if lines else b""
        name = hash_to_name(last, _text(head))
        if last and name == hash_of(last) != _text(head):
            self._s3.replace(HEAD, _head(name), head)
            return False
        self._sent = line_of(self._say(), name)
        if not self._s3.replace(CHANGES, b"".join([*lines, self._sent]), changes):
            return False
        # Where this is refused, somebody else has put it there, or a later one.
        self._s3.replace(HEAD, _head(hash_of(self._sent)), head)
        return True


def _persist(attempt: Callable[[], Found]) -> Found:
    """Tries until it comes to something."""
    again = Retrying(
        retry=retry_if_result(not_), wait=wait_random(0, 0.2), stop=stop_after_delay(PATIENCE)
    )
    try:
        return again(attempt)
    except RetryError as error:
        raise others_are_faster() from error


def _lines(changes: StoredObject | None) -> list[bytes]:
    return list(BytesIO(changes.body)) if changes else []


def _text(head: StoredObject | None) -> str:
    return head.body.decode("ascii", "replace").strip() if head else ""


def _head(hash_: str) -> bytes:
    return f"{hash_}\n".encode()
