"""The owner list: a CSV file that says who pays for a principal or an account, and when."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chargeback.attribution.principal_pattern import other_wildcard, tidied
from chargeback.attribution.star_pattern import STAR
from chargeback.dimensions import ATTRIBUTED, UNALLOCATED
from chargeback.errors import UsageProblem
from chargeback.files.cells import neutralise
from chargeback.files.lists import (
    Fault,
    FaultError,
    by_column,
    cells_of,
    check_once,
    decoded,
    filled_lines,
)

KEYS = ("iam_principal", "usage_account_id")
VALUES = tuple(dimension.name for dimension in ATTRIBUTED)
DATES = ("effective_from", "effective_to")
NOTES = ("owner_email", "note")
"""Free text, for people: never decides who pays."""
COLUMNS = (*KEYS, *VALUES, *DATES, *NOTES)
"""All that a list may have, in the order of a new one."""

ACCOUNT = re.compile(r"[0-9]{12}")
SCIENTIFIC = re.compile(r"[0-9][0-9.,]*[eE]\+?[0-9]+")
FEW_DIGITS = re.compile(r"[0-9]{1,11}")


class OwnerListError(UsageProblem):
    """The owner list can't be used; says which lines, and what is allowed."""


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """One line of the list; '' in a key matches anything, dates are half-open."""

    iam_principal: str
    usage_account_id: str
    values: dict[str, str]
    effective_from: date
    effective_to: date
    line: int
    owner_email: str = ""
    note: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether the ARN is a pattern."""
        return STAR in self.iam_principal

    def is_in_force(self, on: date) -> bool:
        """Whether the row counts for usage of that day."""
        return self.effective_from <= on < self.effective_to


def read_owners(path: Path) -> list[OwnerRow]:
    """The rows of an owner list, in file order.

    Raises:
        OwnerListError: the file can't be read or some lines are wrong; all are named at once.
    """
    return owners_in(path.name, read_content(path))


def read_content(path: Path) -> bytes:
    """A list as it lies on disk. Raises OwnerListError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path.name, error) from error


def owners_in(name: str, content: bytes) -> list[OwnerRow]:
    """The rows that a file holds, in its order. Raises OwnerListError."""
    try:
        rows, faults = parse_owners(decoded(content))
    except UnicodeDecodeError as error:
        raise unreadable(name, error) from error
    if faults:
        raise OwnerListError(
            f"{name}: {'; '.join(map(str, faults))}.",
            "It can't be used to decide who pays.",
            "Correct the owner list.",
        )
    return rows


def parse_owners(text: str) -> tuple[list[OwnerRow], list[Fault]]:
    """The rows of a list's text, in its order, and all that is wrong with it, by line."""
    lines = filled_lines(text)
    number, header = next(lines, (1, ""))
    try:
        columns = read_header(header)
    except FaultError as fault:
        return [], [Fault(number, f"{fault}. {_first_line(number)}")]
    rows, faults = _read(lines, columns)
    return rows, sorted(faults + _contradictions(rows))


def unreadable(name: str, error: Exception) -> OwnerListError:
    """Says that a list can't be read, and why, without where on the server it lies."""
    why = error.strerror if isinstance(error, OSError) else error
    return OwnerListError(f"The owner list {name} can't be read as UTF-8 CSV: {why}.")


def _first_line(number: int) -> str:
    return f"Line {number} names the columns, of {', '.join(COLUMNS)}"


def read_header(header: str) -> list[str]:
    """The columns that a list's first line names. Raises FaultError."""
    if not header:
        raise FaultError("the list is empty, it has no header")
    columns = cells_of(header)
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise FaultError(f"unknown columns {unknown}; commas separate columns")
    check_once(columns)
    for needed in (KEYS, VALUES):
        if not set(needed) & set(columns):
            raise FaultError(f"there is no column {' or '.join(needed)}")
    return columns


def cells_by_column(line: str, columns: list[str]) -> dict[str, str]:
    """The cells of a line, '' where there is none. Raises FaultError."""
    return dict.fromkeys(COLUMNS, "") | by_column(line, columns)


def _read(
    lines: Iterable[tuple[int, str]], columns: list[str]
) -> tuple[list[OwnerRow], list[Fault]]:
    rows, faults = [], []
    for number, line in lines:
        try:
            rows.append(_row(number, cells_by_column(line, columns)))
        except FaultError as fault:
            faults.append(Fault(number, str(fault)))
    return rows, faults


def _row(number: int, text: Mapping[str, str]) -> OwnerRow:
    values = {name: text[name] for name in VALUES if text[name] not in ("", UNALLOCATED)}
    notes = (note_from_cell(text[name]) for name in NOTES)
    return OwnerRow(*_keys(text), values, *_dates(text), number, *notes)


def _keys(text: Mapping[str, str]) -> tuple[str, str]:
    principal, account = (text[key] for key in KEYS)
    if not (principal or account):
        raise FaultError("names neither iam_principal nor usage_account_id")
    if other := other_wildcard(principal):
        raise FaultError(
            f"{other} in iam_principal: only * is a wildcard, and everything else is meant as "
            "it stands"
        )
    if account and not ACCOUNT.fullmatch(account):
        raise FaultError(_no_account(account))
    return tidied(principal), account


def _no_account(text: str) -> str:
    if SCIENTIFIC.fullmatch(text):
        return (
            f"account {text} is rounded: a spreadsheet wrote it so. Format the column as text, "
            "and write all twelve digits"
        )
    if FEW_DIGITS.fullmatch(text):
        return (
            f"account {text} has {len(text)} digits, not twelve: a spreadsheet takes zeros in "
            "front away. Format the column as text, and write them"
        )
    return f"account {text} is not twelve digits; for every account leave it empty"


def _dates(text: Mapping[str, str]) -> tuple[date, date]:
    try:
        start = date.fromisoformat(text["effective_from"] or date.min.isoformat())
        end = date.fromisoformat(text["effective_to"] or date.max.isoformat())
    except ValueError as error:
        raise FaultError("a date is not written YYYY-MM-DD") from error
    if start >= end:
        raise FaultError("effective_from is not before effective_to")
    return start, end


def note_from_cell(cell: str) -> str:
    """A note as it was meant: without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell == note_to_cell(cell[1:]) else cell


def note_to_cell(note: str) -> str:
    """A note for the file: a spreadsheet that opens the list must not run it as a formula."""
    return f"'{note}" if neutralise(note.lstrip("'")) != note.lstrip("'") else note


def _contradictions(rows: Iterable[OwnerRow]) -> list[Fault]:
    """Rows that name different owners for the same keys on the same day, at the later line."""
    alike = defaultdict(list)
    for row in rows:
        for dimension in row.values:
            alike[row.iam_principal, row.usage_account_id, dimension].append(row)
    return [
        Fault(max(pair), f"as line {min(pair)}, but with another {key[-1]} for the same days")
        for key, group in alike.items()
        for pair in _contradicting(group, key[-1])
    ]


def _contradicting(alike: list[OwnerRow], dimension: str) -> Iterator[tuple[int, int]]:
    """The lines of rows that can't both hold.

    Rows that overlap all hold on the first day of the last of them, so that each need only be
    compared with the one before it that lasts longest.
    """
    first, *others = sorted(alike, key=lambda row: (row.effective_from, row.line))
    for row in others:
        overlaps = row.effective_from < first.effective_to
        if overlaps and row.values[dimension] != first.values[dimension]:
            yield first.line, row.line
        first = max(first, row, key=lambda each: each.effective_to)
