"""A ledger: objects that stand for ever, and who changed what; in a folder or in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Protocol

from filelock import FileLock
from pydantic import Field

from chargeback.ledger import changes
from chargeback.ledger.change_lines import Fault
from chargeback.ledger.objects import Folder, Objects

S3_LOCATION = r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$"
S3Location = Annotated[str, Field(pattern=S3_LOCATION)]
"""s3://bucket or s3://bucket/prefix."""


class Ledger(Protocol):
    """What is kept for ever. Whatever can't be read or written raises OSError."""

    @property
    def objects(self) -> Objects:
        """What was made once and is never changed."""

    def record(self, *, who: str, what: str, before: object, after: object) -> None:
        """Writes a change down, and returns once it is kept.

        Args:
            who: who did it, as `Actor` says it.
            what: what was done, or refused.
            before: what held until now; anything that JSON can say.
            after: what holds from now on.
        """

    def changes(self) -> Iterator[dict[str, Any]]:
        """What was written down, oldest first: `who`, `when`, `what`, `before`, `after`."""

    def verify_changes(self) -> Fault | None:
        """The first change that is not as it was written; None if all are."""

    def one_at_a_time(self, what: str) -> AbstractContextManager[object]:
        """Keeps others from doing the same meanwhile; in S3 only those of this machine."""


class FolderLedger:
    """A folder on disk; it is made when something is to be kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = Folder(folder)

    def record(self, *, who: str, what: str, before: object, after: object) -> None:
        """Adds a line to the folder's list of changes."""
        changes.record(self.folder, who=who, what=what, before=before, after=after)

    def changes(self) -> Iterator[dict[str, Any]]:
        """The lines of the folder's list of changes."""
        return changes.entries(self.folder)

    def verify_changes(self) -> Fault | None:
        """The first line of the list that is not as it was written."""
        return changes.verify(self.folder)

    def one_at_a_time(self, what: str) -> AbstractContextManager[object]:
        """Holds a lock in the folder, for all who share it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / f"{what}.lock")


def open_ledger(location: Path | S3Location, locks: Path) -> Ledger:
    """The ledger at a place.

    Args:
        location: a folder, or s3://bucket/prefix.
        locks: folder on this machine for the locks of a ledger in S3.
    """
    if isinstance(location, Path):
        return FolderLedger(location)
    from chargeback.ledger.bucket_ledger import BucketLedger  # noqa: PLC0415  (slow)

    return BucketLedger(location, locks)
