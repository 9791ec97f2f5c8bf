"""An owner list that somebody edits: as it was read, and as it is to be saved.

A line that nobody touched stays as it is, to the byte, and in its place; so does an empty line. A
line that was touched is written anew, and loses only how its cells were quoted. New lines follow
the last one. A cell is one line of text: a break in it becomes a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from chargeback.attribution.owners import (
    COLUMNS,
    DATES,
    NOTES,
    OwnerRow,
    cells_by_column,
    note_from_cell,
    note_to_cell,
    owners_in,
    parse_owners,
    read_content,
    read_header,
    unreadable,
)
from chargeback.errors import UsageProblem
from chargeback.files.lists import Fault, FaultError, decoded, filled_lines

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as it is edited."""

    cells: Mapping[str, str]
    """The text of every column; '' where there is none."""
    line: int | None = None
    """Where it stands in the file that was read; None for a new row."""

    @classmethod
    def of(cls, cells: Mapping[str, str], line: int | None = None) -> Entry:
        """A row with its cells as a file can hold them."""
        return cls({name: _tidied(name, cells.get(name, "")) for name in COLUMNS}, line)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it."""
        return not any(self.cells.values())


class Change(NamedTuple):
    """What becomes of a row: of a new one `before` is None, of one taken out `after`."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class ReadList:
    """A list as it lay on disk; without a line where there was none."""

    name: str
    """The file's, for people."""
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Of its bytes: whoever saves says which list they read."""
        return sha256(self.content).hexdigest()

    @cached_property
    def lines(self) -> list[str]:
        """All lines, the empty ones too; a list that has none begins with its columns."""
        text = decoded(self.content)
        return text.split("\n") if text.strip() else [",".join(COLUMNS), ""]

    @property
    def filled(self) -> list[tuple[int, str]]:
        """The lines that say anything, with their numbers; the first names the columns."""
        return list(filled_lines("\n".join(self.lines)))

    @cached_property
    def columns(self) -> list[str]:
        """The columns that it has. Raises UsageProblem if they can't be told."""
        try:
            return read_header(self.filled[0][1])
        except FaultError as fault:
            raise self._can_not_be_edited() from fault

    @cached_property
    def entries(self) -> list[Entry]:
        """Its rows. Raises UsageProblem where a line can't be told apart into its cells."""
        columns, (_, *lines) = self.columns, self.filled
        return [self._entry(number, line, columns) for number, line in lines]

    @property
    def faults(self) -> list[Fault]:
        """All that is wrong with it as it is."""
        return parse_owners("\n".join(self.lines))[1]

    @property
    def rows(self) -> list[OwnerRow]:
        """What it says. Raises OwnerListError where anything is wrong."""
        return owners_in(self.name, "\n".join(self.lines).encode())

    def _entry(self, number: int, line: str, columns: list[str]) -> Entry:
        try:
            cells = cells_by_column(line, columns)
        except FaultError as fault:
            raise self._can_not_be_edited() from fault
        notes = {name: note_from_cell(cells[name]) for name in NOTES}
        return Entry.of(cells | notes, number)

    def _can_not_be_edited(self) -> UsageProblem:
        return UsageProblem(
            f"{self.name}: {'; '.join(map(str, self.faults))}.",
            "Its rows can't be told apart, so the list can't be edited here.",
            "Correct the file, or restore an earlier version.",
        )


@dataclass(frozen=True)
class Draft:
    """A list as it is to be saved."""

    read: ReadList
    """What it is to replace."""
    content: bytes
    rows: tuple[OwnerRow, ...]
    faults: tuple[Fault, ...]
    changes: tuple[Change, ...]

    @cached_property
    def sha256(self) -> str:
        """Of its bytes."""
        return sha256(self.content).hexdigest()


def read_list(path: Path) -> ReadList:
    """The list in a file; an empty one where there is no file yet.

    Raises:
        OwnerListError: it can't be read, or is no text.
    """
    read = ReadList(path.name, read_content(path) if path.exists() else b"")
    try:
        decoded(read.content)
    except UnicodeDecodeError as error:
        raise unreadable(path.name, error) from error
    return read


def draft_of(read: ReadList, entries: Sequence[Entry]) -> Draft:
    """What the list becomes with these rows: those that were read, changed or not, and new ones.

    Rows without any text are left out.
    """
    old, new = _told_apart(read, entries)
    columns = _columns(read, [*old.values(), *new])
    lines = [*_lines(read, old, columns)]
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [_written(entry, columns) for entry in new]
    rows, faults = parse_owners("\n".join(lines))
    changes = tuple(_changes(read, old, new))
    content = _encoded(read, lines) if changes else read.content
    return Draft(read, content, tuple(rows), tuple(faults), changes)


def _told_apart(read: ReadList, entries: Sequence[Entry]) -> tuple[dict[int, Entry], list[Entry]]:
    """Rows that were read, by their line, and new ones in their order."""
    known = {entry.line for entry in read.entries}
    old: dict[int, Entry] = {}
    new: list[Entry] = []
    for entry in entries:
        if entry.is_empty:
            continue
        if entry.line is not None and entry.line in known and entry.line not in old:
            old[entry.line] = entry
        else:
            new.append(entry)
    return old, new


def _columns(read: ReadList, entries: Sequence[Entry]) -> list[str]:
    """Those that the list has, and those that a row now needs."""
    needed = (name for name in COLUMNS if any(entry.cells[name] for entry in entries))
    return list(dict.fromkeys([*read.columns, *needed]))


def _lines(read: ReadList, old: Mapping[int, Entry], columns: Sequence[str]) -> Iterator[str]:
    """The lines of the list, without those of rows that were taken out."""
    rows = {entry.line: entry for entry in read.entries}
    header, _ = read.filled[0]
    for number, line in enumerate(read.lines, 1):
        if number == header:
            yield ",".join([line, *columns[len(read.columns) :]])
        elif number not in rows or old.get(number) == rows[number]:
            yield line
        elif number in old:
            yield _written(old[number], columns)


def _changes(read: ReadList, old: Mapping[int, Entry], new: Sequence[Entry]) -> Iterator[Change]:
    for before in read.entries:
        after = old.get(before.line or 0)
        if after != before:
            yield Change(before, after)
    for entry in new:
        yield Change(None, entry)


def _written(entry: Entry, columns: Sequence[str]) -> str:
    cells = {**entry.cells, **{name: note_to_cell(entry.cells[name]) for name in NOTES}}
    return ",".join(_quoted(cells[name]) for name in columns)


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if '"' in cell or "," in cell else cell


def _encoded(read: ReadList, lines: Sequence[str]) -> bytes:
    """With the line ends of the list, and a byte order mark where it has one."""
    end = "\r\n" if b"\r\n" in read.content else "\n"
    return (BOM if read.content.startswith(BOM) else b"") + end.join(lines).encode()


def _tidied(name: str, text: str) -> str:
    """A cell as a file can hold it: one line, no half of a character, dates in one spelling."""
    whole = re.sub(r"[\r\n]+", " ", text).encode("utf-8", "replace").decode()
    return _one_spelling(whole.strip()) if name in DATES else whole.strip()


def _one_spelling(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return day
