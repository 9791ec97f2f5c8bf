"""Where a ledger lies: named objects that are made once, and never changed or deleted."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from chargeback.errors import Problem
from chargeback.files.atomic import flush


class LedgerProblem(Problem):
    """The ledger can't be read, or is not what was written."""


class Objects(Protocol):
    """A folder, or a place in S3. Names are relative, with `/`; whatever is there is whole."""

    @property
    def place(self) -> str:
        """Where it is, for people: a folder's path, or s3://bucket/prefix."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with `prefix`, in their order."""

    def read(self, name: str) -> bytes:
        """What is in an object. Raises FileNotFoundError, OSError."""

    def download(self, name: str, file: Path) -> None:
        """Writes what is in an object into a file. Raises FileNotFoundError, OSError."""

    def create(self, name: str, content: bytes | Path) -> bool:
        """Makes an object of bytes or of a file's, kept whatever happens to the machine.

        Returns:
            False if there is one of that name, which stays: of several who make it, one wins.

        Raises:
            OSError: it can't be written.
        """


class Folder:
    """A folder on disk; an object is a file that appears whole, under a name that is free."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def place(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def names(self, prefix: str) -> list[str]:
        """The files whose names begin with `prefix`, in their order; no drafts."""
        start = self.folder / prefix
        above = start if prefix.endswith("/") else start.parent
        found = (
            path.relative_to(self.folder).as_posix()
            for path in above.rglob("*")
            if not path.name.startswith(".") and path.is_file()
        )
        return sorted(name for name in found if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        """What is in a file."""
        return (self.folder / name).read_bytes()

    def download(self, name: str, file: Path) -> None:
        """Copies a file."""
        shutil.copyfile(self.folder / name, file)

    def create(self, name: str, content: bytes | Path) -> bool:
        """Writes a file beside, flushes it, and links it to its name if that is free."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
        try:
            if isinstance(content, Path):
                shutil.copyfile(content, draft)
            else:
                draft.write_bytes(content)
            flush(draft)
            try:
                os.link(draft, file)
            except FileExistsError:
                return False
            with suppress(OSError):  # it is there: whoever made it must not be told otherwise
                flush(file.parent)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return True
