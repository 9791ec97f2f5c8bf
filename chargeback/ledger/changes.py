"""Who changed what: lines in `changes.jsonl`, each of which carries the hash of the one before.

A line is JSON with `who`, `when` (UTC), `what`, `before`, `after` and `previous`: the SHA-256 of
the line before as it stands, without its line end; empty in the first. So no line but the last can
be changed, removed or put in without the next one telling. `changes.head` holds the hash of the
last: it tells where that one was changed, or where the end was cut off. A copy of that hash kept
elsewhere tells it even of somebody who writes both files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock

from chargeback.files.atomic import flush

CHANGES = "changes.jsonl"
HEAD = "changes.head"
LOCK = "changes.lock"
FIELDS = {"who", "when", "what", "before", "after", "previous"}
CUT_SHORT = "set aside: a line that was cut short"
"""What the entry says that keeps what a crash left of a line."""
BLOCK = 4096


@dataclass(frozen=True)
class Fault:
    """The first line that is not what was written."""

    line: int
    """Its number; 1 is the first. One more than there are where the end is missing."""
    why: str

    def __str__(self) -> str:
        return f"{CHANGES}, line {self.line}: {self.why}"


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
            aside = {"who": who, "what": CUT_SHORT, "before": text, "after": None}
            _append(changes, folder, aside)
        entry = {"who": who, "what": what, "before": before, "after": after}
        _append(changes, folder, entry)


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What was written down, oldest first; lines that are no entry are left out."""
    if (folder / CHANGES).exists():
        with (folder / CHANGES).open("rb") as changes:
            yield from filter(None, map(_entry, changes))


def verify(folder: Path) -> Fault | None:
    """The first line that was changed, removed, put in or cut short; None if all stand as written.

    A folder without a file of changes is whole: nothing was changed yet.
    """
    with _held_still(folder):
        head = _head(folder)
        if not (folder / CHANGES).exists():
            return Fault(1, "the file is gone") if head else None
        return _first_fault(folder / CHANGES, head)


def _first_fault(path: Path, head: str) -> Fault | None:
    number, previous, last = 0, "", ""
    with path.open("rb") as changes:
        for number, line in enumerate(changes, start=1):
            entry = _entry(line)
            if entry is None:
                return Fault(number, _unreadable(line))
            if entry["previous"] != last:
                return _broken_link(number)
            previous, last = last, _hash(line)
    # A crash may have come between a line and its hash in the head.
    if head and head not in (last, previous):
        return Fault(max(number, 1), "it was changed, or lines that followed it are gone")
    return None


def _broken_link(number: int) -> Fault:
    if number == 1:
        return Fault(1, "lines that stood before it are gone")
    return Fault(number - 1, "it was changed, or lines between it and the next are gone")


def _unreadable(line: bytes) -> str:
    return "it is no entry" if line.endswith(b"\n") else "it was cut short"


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is cut short or no entry."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and set(entry) == FIELDS else None


def _hash(line: bytes) -> str:
    return sha256(line.removesuffix(b"\n")).hexdigest()


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


def _append(changes: int, folder: Path, said: Mapping[str, object]) -> None:
    """Writes a line at the end, to the disk."""
    entry = {
        "who": said["who"],
        "when": datetime.now(UTC).isoformat(),
        **said,
        "previous": _hash_to_name(changes, _head(folder)),
    }
    line = json.dumps(entry, default=str).encode() + b"\n"
    os.lseek(changes, 0, os.SEEK_END)
    written = 0
    while written < len(line):
        written += os.write(changes, line[written:])
    os.fsync(changes)
    _keep_head(folder, _hash(line))


def _hash_to_name(changes: int, head: str) -> str:
    """The last line's hash; or the head, where the last line is not what was written last.

    Then the new line does not fit those before it: what was cut off stays missed.
    """
    end = os.lseek(changes, 0, os.SEEK_END)
    start = _line_start(changes, end - 1)
    line = os.pread(changes, end - start, start)
    last = _hash(line) if line else ""
    before = (_entry(line) or {}).get("previous", "")
    return last if head in ("", last, before) else head


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
