"""Cells of tables: what they may hold, so that text stays text and amounts stay exact.

Names and tags are other people's text. A spreadsheet runs a cell of a CSV file as a formula by its
first character, quoted or not; a workbook says of each cell what it is, so there it is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

# OWASP, "CSV Injection", with its full-width forms; OWASP ASVS 1.2.10 adds the null character.
FORMULA_STARTS = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def neutralise(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would run as a formula.

    Source: OWASP, "CSV Injection". Text that begins otherwise is returned as it is.
    """
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def plain_amount(value: Decimal) -> Decimal:
    """The same amount, without the sign of a negative zero."""
    if not value.is_finite():
        raise ValueError(f"cannot write {value}: not a finite amount")
    return value if value else value.copy_abs()


def yes_or_no(value: bool) -> str:
    """A yes or no in words."""
    return "yes" if value else "no"


def unwritable(value: object) -> TypeError:
    """What is raised of a value that no cell can hold."""
    return TypeError(f"a cell cannot hold a value of type {type(value).__name__}")


def check_length(row: Sequence[object], columns: Sequence[str]) -> None:
    """Raises ValueError if a row is longer or shorter than its header."""
    if len(row) != len(columns):
        raise ValueError(f"a row has {len(row)} cells, the header {len(columns)}")
