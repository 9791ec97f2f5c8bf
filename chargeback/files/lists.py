"""Lists that people keep as CSV files (RFC 4180): an entry a line, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)')


class FaultError(Exception):
    """What is wrong with one line."""


class Fault(NamedTuple):
    """What is wrong with a line of a list."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def decoded(content: bytes) -> str:
    """A list's text; each line ends as in Unix. Raises UnicodeDecodeError."""
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say anything, with their numbers."""
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def cells_of(line: str) -> list[str]:
    """The cells of a line, by RFC 4180: a quote begins and ends its cell, and is doubled within.

    No cell runs over several lines: a name has none, and a quote left open would take what
    follows for a part of it.

    Raises:
        FaultError: quotes are not as they should be.
    """
    cells, at, comma = [], 0, ","
    while comma:
        cell = CELL.match(line, at)
        if cell is None:
            raise FaultError(_quoting(line[at:]))
        quoted, plain, comma = cell.groups()
        cells.append((plain if quoted is None else quoted.replace('""', '"')).strip())
        at = cell.end()
    return cells


def by_column(line: str, columns: list[str]) -> dict[str, str]:
    """The cells of a line, '' where it has fewer. Raises FaultError."""
    cells = cells_of(line)
    if cells == columns:
        raise FaultError("the header again")
    if len(cells) > len(columns):
        raise FaultError("more cells than columns")
    return dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))


def check_once(columns: list[str]) -> None:
    """Raises FaultError where a header names a column twice."""
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise FaultError(f"the header names {', '.join(twice)} twice")


def _quoting(rest: str) -> str:
    if not rest.startswith('"'):
        return "a quote within a cell that does not begin with one"
    is_closed = '"' in rest[1:].replace('""', "")
    return "text after a closing quote" if is_closed else "a quote is left open"
