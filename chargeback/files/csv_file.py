"""Tables as CSV files (RFC 4180)."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from chargeback.files.cells import check_length, neutralise, plain_amount, unwritable, yes_or_no

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the machine's own code page


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file holds, for whoever checks it later."""

    rows: int
    """Rows below the header."""
    sha256: str
    """Of all bytes, hexadecimal."""
    bytes: int


def write_csv(
    out: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> FileDigest:
    """Writes a table as CSV (RFC 4180), UTF-8 with a byte order mark, row by row.

    Args:
        out: Where to; stays open.
        columns: The header.
        rows: Cells are text (neutralised), Decimal (never with an exponent), int, bool (`yes`,
            `no`), date or datetime (ISO 8601), or None (empty).

    Raises:
        TypeError: A cell is anything else; a float above all.
        ValueError: A row is longer or shorter than the header, an amount is not finite, or text
            has a lone surrogate, which UTF-8 can't hold.
    """
    tally = _Tally(out)
    tally.write(_BYTE_ORDER_MARK)
    writer = csv.writer(tally, lineterminator="\r\n")
    writer.writerow([neutralise(name) for name in columns])
    count = 0
    for row in rows:
        check_length(row, columns)
        writer.writerow([_csv_cell(value) for value in row])
        count += 1
    return FileDigest(count, tally.sha256, tally.bytes)


class _Tally:
    """Encodes what it is given, passes it on, and keeps count and hash of it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, text: str) -> None:
        data = text.encode()
        self._out.write(data)
        self._hash.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _csv_cell(value: object) -> str:
    match value:
        case str():
            return neutralise(value)
        case None:
            return ""
        case Decimal():
            return f"{plain_amount(value):f}"
        case bool():
            return yes_or_no(value)
        case int():
            return str(value)
        case date():
            return value.isoformat()
    raise unwritable(value)
