"""The owner list: a CSV file that says who pays for a principal or an account, and when."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chargeback.attribution.star_pattern import STAR, star_pattern
from chargeback.dimensions import ATTRIBUTED, UNALLOCATED
from chargeback.errors import UsageProblem

KEYS = ("iam_principal", "usage_account_id")
VALUES = tuple(dimension.name for dimension in ATTRIBUTED)
DATES = ("effective_from", "effective_to")

CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)')
ACCOUNT = re.compile(r"[0-9]{12}")
SCIENTIFIC = re.compile(r"[0-9][0-9.,]*[eE]\+?[0-9]+")
FEW_DIGITS = re.compile(r"[0-9]{1,11}")
OTHER_WILDCARDS = re.compile(r"[?\[\]{}()|^$%\\]")


class OwnerListError(UsageProblem):
    """The owner list can't be used; says which lines, and what is allowed."""


class _FaultError(Exception):
    """What is wrong with one line."""


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """One line of the list; '' in a key matches anything, dates are half-open."""

    iam_principal: str
    usage_account_id: str
    values: dict[str, str]
    effective_from: date
    effective_to: date
    line: int

    @property
    def is_pattern(self) -> bool:
        """Whether the ARN is a pattern."""
        return STAR in self.iam_principal

    def is_in_force(self, on: date) -> bool:
        """Whether the row counts for usage of that day."""
        return self.effective_from <= on < self.effective_to

    def matches(self, account: str, principals: tuple[str, ...]) -> bool:
        """Whether the row speaks of this account and of one of these ARNs."""
        named = not self.iam_principal or any(map(self.names, filter(None, principals)))
        return named and self.usage_account_id in ("", account)

    def names(self, arn: str) -> bool:
        """Whether the ARN is the row's, or fits its pattern."""
        if self.is_pattern:
            return star_pattern(self.iam_principal).matches(arn)
        return arn == self.iam_principal


def read_owners(path: Path) -> list[OwnerRow]:
    """The rows of an owner list, in file order.

    Raises:
        OwnerListError: the file can't be read or some lines are wrong; all are named at once.
    """
    lines = _lines(path)
    number, header = next(lines, (1, ""))
    if not header:
        raise _wrong(path, f"the list is empty, it has no header. {_first_line(number)}")
    try:
        columns = _columns(header)
    except _FaultError as fault:
        raise _wrong(path, f"line {number}: {fault}. {_first_line(number)}") from fault
    rows, faults = _read(lines, columns)
    faults += _contradictions(rows)
    if faults:
        raise _wrong(path, "; ".join(f"line {line}: {fault}" for line, fault in sorted(faults)))
    return rows


def unreadable(path: Path, error: Exception) -> OwnerListError:
    """Says that a list can't be read, and why, without where on the server it lies."""
    why = error.strerror if isinstance(error, OSError) else error
    return OwnerListError(f"The owner list {path.name} can't be read as UTF-8 CSV: {why}.")


def _wrong(path: Path, what: str) -> OwnerListError:
    return OwnerListError(
        f"{path.name}: {what}.", "Who pays can't be told by it.", "Correct the owner list."
    )


def _first_line(number: int) -> str:
    return f"Line {number} names the columns, of {', '.join((*KEYS, *VALUES, *DATES))}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say anything, with their numbers.

    Raises:
        OwnerListError: the file can't be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _columns(header: str) -> list[str]:
    columns = _cells(header)
    if unknown := [name for name in columns if name not in {*KEYS, *VALUES, *DATES}]:
        raise _FaultError(f"unknown columns {unknown}; commas separate columns")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise _FaultError(f"the header names {', '.join(twice)} twice")
    for needed in (KEYS, VALUES):
        if not set(needed) & set(columns):
            raise _FaultError(f"there is no column {' or '.join(needed)}")
    return columns


def _cells(line: str) -> list[str]:
    """The cells of a line, by RFC 4180: a quote begins and ends its cell, and is doubled within.

    No cell runs over several lines: a name has none, and a quote left open would take what
    follows for a part of it.
    """
    cells, at, comma = [], 0, ","
    while comma:
        cell = CELL.match(line, at)
        if cell is None:
            raise _FaultError(_quoting(line[at:]))
        quoted, plain, comma = cell.groups()
        cells.append((plain if quoted is None else quoted.replace('""', '"')).strip())
        at = cell.end()
    return cells


def _quoting(rest: str) -> str:
    if not rest.startswith('"'):
        return "a quote within a cell that does not begin with one"
    is_closed = '"' in rest[1:].replace('""', "")
    return "text after a closing quote" if is_closed else "a quote is left open"


def _read(
    lines: Iterable[tuple[int, str]], columns: list[str]
) -> tuple[list[OwnerRow], list[tuple[int, str]]]:
    rows, faults = [], []
    for number, line in lines:
        try:
            rows.append(_row(number, _cells(line), columns))
        except _FaultError as fault:
            faults.append((number, str(fault)))
    return rows, faults


def _row(number: int, cells: list[str], columns: list[str]) -> OwnerRow:
    if cells == columns:
        raise _FaultError("the header again")
    if len(cells) > len(columns):
        raise _FaultError("more cells than columns")
    text = dict.fromkeys((*KEYS, *DATES), "") | dict(zip(columns, cells, strict=False))
    values = {name: text[name] for name in VALUES if text.get(name, "") not in ("", UNALLOCATED)}
    return OwnerRow(*_keys(text), values, *_dates(text), number)


def _keys(text: Mapping[str, str]) -> tuple[str, str]:
    principal, account = (text[key] for key in KEYS)
    if not (principal or account):
        raise _FaultError("names neither iam_principal nor usage_account_id")
    if other := OTHER_WILDCARDS.search(principal):
        raise _FaultError(
            f"{other[0]} in iam_principal: only * is a wildcard, and everything else is meant as "
            "it stands"
        )
    if account and not ACCOUNT.fullmatch(account):
        raise _FaultError(_no_account(account))
    return re.sub(r"\*+", STAR, principal), account


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
        raise _FaultError("a date is not written YYYY-MM-DD") from error
    if start >= end:
        raise _FaultError("effective_from is not before effective_to")
    return start, end


def _contradictions(rows: Iterable[OwnerRow]) -> list[tuple[int, str]]:
    """Rows that name different owners for the same keys on the same day, at the later line."""
    alike = defaultdict(list)
    for row in rows:
        for dimension in row.values:
            alike[row.iam_principal, row.usage_account_id, dimension].append(row)
    return [
        (max(pair), f"as line {min(pair)}, but with another {key[-1]} for the same days")
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
