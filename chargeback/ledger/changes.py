"""Who changed what, in a folder: lines at the end of `changes.jsonl`, flushed to disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from chargeback.files.atomic import flush
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

LOCK = "changes.lock"
CUT_SHORT = "set aside: a line that was cut short"
"""What the entry says that keeps what a crash left of a line."""
BLOCK = 4096


def record(folder: Path, *, who: str, what: str, before: object, after: object) -> None:
    """Adds a line, and returns once it is on the disk.

    What a crash left of a line is taken off the end and kept as a line of its own.

    Args:
        folder: the ledger; made if it is not there.
        who: who did it, as `Actor` says it.
        what: what was done, or refused.
        before: what held until now; anything that JSON can say.
        after: what holds from now on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK), _opened(folder / CHANGES) as changes:
        torn = _take_torn_line(changes)
        if torn:
            text = torn.decode("utf-8", "backslashreplace")
            _append(changes, folder, said_now(who=who, what=CUT_SHORT, before=text, after=None))
        _append(changes, folder, said_now(who=who, what=what, before=before, after=after))


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What was written down, oldest first; lines that are no entry are left out."""
    if (folder / CHANGES).exists():
        with (folder / CHANGES).open("rb") as changes:
            yield from filter(None, map(entry_of, changes))


def verify(folder: Path) -> Fault | None:
    """The first line that was changed, removed, put in or cut short; None if all stand as written.

    A folder without a file of changes is whole: nothing was changed yet.
    """
    with _held_still(folder):
        head = _head(folder)
        if not (folder / CHANGES).exists():
            return Fault(1, "the file is gone") if head else None
        with (folder / CHANGES).open("rb") as changes:
            return first_fault(changes, head)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file of changes, to read and to write at its end."""
    is_new = not path.exists()
    changes = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if is_new:
            flush(path.parent)
        yield changes
    finally:
        os.close(changes)


def _take_torn_line(changes: int) -> bytes:
    """What stands after the last line's end, which is taken off."""
    end = os.lseek(changes, 0, os.SEEK_END)
    start = _line_start(changes, end)
    torn = os.pread(changes, end - start, start)
    if torn:
        os.ftruncate(changes, start)
    return torn


def _line_start(changes: int, end: int) -> int:
    """Where the line that goes on to `end` begins: after the line end before it, or at 0."""
    while end > 0:
        start = max(0, end - BLOCK)
        found = os.pread(changes, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _append(changes: int, folder: Path, said: dict[str, object]) -> None:
    """Writes a line at the end, to the disk."""
    line = line_of(said, hash_to_name(_last_line(changes), _head(folder)))
    os.lseek(changes, 0, os.SEEK_END)
    written = 0
    while written < len(line):
        written += os.write(changes, line[written:])
    os.fsync(changes)
    _keep_head(folder, hash_of(line))


def _last_line(changes: int) -> bytes:
    end = os.lseek(changes, 0, os.SEEK_END)
    start = _line_start(changes, end - 1)
    return os.pread(changes, end - start, start)


def _keep_head(folder: Path, head: str) -> None:
    """Puts the last line's hash in place of the one before it, whole or not at all."""
    draft = folder / f"{HEAD}.new"
    with draft.open("w", encoding="ascii") as file:
        file.write(f"{head}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / HEAD)
    flush(folder)


def _head(folder: Path) -> str:
    """The hash of the last line as it was written; '' where that is not known."""
    try:
        return (folder / HEAD).read_text("ascii").strip()
    except FileNotFoundError:
        return ""


@contextmanager
def _held_still(folder: Path) -> Iterator[None]:
    """Nobody adds a line meanwhile; a folder that can't be written, such as a copy, is still."""
    if not os.access(folder, os.W_OK):
        yield
        return
    with FileLock(folder / LOCK):
        yield
