"""Lines of the list of changes: what one says, and whether it follows the one before.

A line is JSON with `who`, `when` (UTC), `what`, `before`, `after` and `previous`: the SHA-256 of
the line before as it stands, without its line end; empty in the first. So no line but the last can
be changed, removed or put in without the next one telling. The head is the hash of the last as it
was written: it tells where that one was changed, or where the end was cut off. A copy of that hash
kept elsewhere tells it even of somebody who writes both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

CHANGES = "changes.jsonl"
HEAD = "changes.head"
CUT_SHORT_LINE = "it was cut short"
"""Why a line is a fault that a crash left; the next line written takes it off the end."""
FIELDS = {"who", "when", "what", "before", "after", "previous"}


@dataclass(frozen=True)
class Fault:
    """The first line that is not what was written."""

    line: int
    """Its number; 1 is the first. One more than there are where the end is missing."""
    why: str

    def __str__(self) -> str:
        return f"{CHANGES}, line {self.line}: {self.why}"


def said_now(*, who: str, what: str, before: object, after: object) -> dict[str, object]:
    """What a line says of a change that is made now."""
    now = datetime.now(UTC).isoformat()
    return {"who": who, "when": now, "what": what, "before": before, "after": after}


def line_of(said: Mapping[str, object], previous: str) -> bytes:
    """A line that follows the one with the hash `previous`."""
    return json.dumps({**said, "previous": previous}, default=str).encode() + b"\n"


def hash_to_name(line: bytes, head: str) -> str:
    """What the next line names: the last line's hash, or the head where that line is not the last.

    Then the new line does not fit those before it: what was cut off stays missed.

    Args:
        line: the last line; empty where there is none.
        head: the hash of the last line as it was written; '' where that is not known.
    """
    last = hash_of(line) if line else ""
    before = (entry_of(line) or {}).get("previous", "")
    return last if head in ("", last, before) else head


def first_fault(lines: Iterable[bytes], head: str) -> Fault | None:
    """The first line that was changed, removed, put in or cut short; None if none."""
    number, previous, last = 0, "", ""
    for number, line in enumerate(lines, start=1):
        entry = entry_of(line)
        if entry is None:
            return Fault(number, _unreadable(line))
        if entry["previous"] != last:
            return _broken_link(number)
        previous, last = last, hash_of(line)
    # A crash may have come between a line and its hash in the head.
    if head and head not in (last, previous):
        return Fault(max(number, 1), "it was changed, or lines that followed it are gone")
    return None


def entry_of(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is cut short or no entry."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and set(entry) == FIELDS else None


def hash_of(line: bytes) -> str:
    """By which the next line and the head name it."""
    return sha256(line.removesuffix(b"\n")).hexdigest()


def _broken_link(number: int) -> Fault:
    if number == 1:
        return Fault(1, "lines that stood before it are gone")
    return Fault(number - 1, "it was changed, or lines between it and the next are gone")


def _unreadable(line: bytes) -> str:
    return "it is no entry" if line.endswith(b"\n") else CUT_SHORT_LINE
