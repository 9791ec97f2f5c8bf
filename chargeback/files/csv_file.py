"""Tables as CSV files (RFC 4180)."""

from __future__ import annotations

import csv
import hashlib
import io
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from typing import BinaryIO

import pyarrow as pa
from pyarrow import compute

from chargeback.files.cells import check_length, neutralise, plain_amount, unwritable, yes_or_no

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the machine's own code page
_END = "\r\n"
_CELLS_KEPT = 20_000  # most of which come again in the next batch


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
    tally = _begun(out, columns)
    writer = csv.writer(tally, lineterminator=_END)
    count = 0
    for row in rows:
        check_length(row, columns)
        writer.writerow([_csv_cell(value) for value in row])
        count += 1
    return FileDigest(count, tally.sha256, tally.bytes)


def write_csv_batches(
    out: BinaryIO, columns: Sequence[str], batches: Iterable[pa.RecordBatch]
) -> FileDigest:
    """Writes the same bytes as `write_csv`, for millions of rows, which come as Arrow batches.

    Args:
        out: Where to; stays open.
        columns: The header, and which columns of a batch are written; two at least.
        batches: Of texts, decimals, whole numbers, dates and yes or no.

    Raises:
        TypeError: A cell is anything else; a float above all.
    """
    tally = _begun(out, columns)
    comma, nothing, end = _array([",", "", _END])
    count = 0
    for batch in (each for each in batches if each.num_rows):
        cells = [_texts(batch.column(name)) for name in columns]
        lines = compute.binary_join_element_wise(
            *cells, comma, null_handling="replace", null_replacement=""
        )
        tally.add(_end_to_end(compute.binary_join_element_wise(lines, nothing, end)))
        count += batch.num_rows
    return FileDigest(count, tally.sha256, tally.bytes)


def _begun(out: BinaryIO, columns: Sequence[str]) -> _Tally:
    tally = _Tally(out)
    tally.write(_BYTE_ORDER_MARK)
    csv.writer(tally, lineterminator=_END).writerow([neutralise(name) for name in columns])
    return tally


class _Tally:
    """Encodes what it is given, passes it on, and keeps count and hash of it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, text: str) -> None:
        self.add(text.encode())

    def add(self, data: bytes | memoryview) -> None:
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


def _texts(column: pa.Array) -> pa.Array:
    """The cells of a column as text; of what is missing there is none."""
    if not (pa.types.is_decimal(column.type) or pa.types.is_integer(column.type)):
        return _one_by_one(column)
    texts = column.cast(pa.string())
    has_exponent = compute.match_substring(texts, "E")  # Arrow's way to write a small amount
    if not compute.any(has_exponent).as_py():
        return texts
    told = _one_by_one(column.filter(has_exponent))
    return compute.replace_with_mask(texts, has_exponent, told)


def _one_by_one(column: pa.Array) -> pa.Array:
    """Each different value as `write_csv` writes it: a column mostly has few."""
    found = column.dictionary_encode()
    cells = [_quoted_cell(value) for value in found.dictionary.to_pylist()]
    return _array(cells).take(found.indices)


def _array(texts: Sequence[str]) -> pa.StringArray:
    """Of texts; `pa.array` would import pandas, to see whether they are its own."""
    encoded = [text.encode() for text in texts]
    ends = array("i", [0, *accumulate(map(len, encoded))])
    offsets, data = pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(encoded))
    return pa.StringArray.from_buffers(len(texts), offsets, data)


@lru_cache(_CELLS_KEPT, typed=True)
def _quoted_cell(value: object) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator=_END).writerow((_csv_cell(value), ""))
    return line.getvalue().removesuffix(f",{_END}")


def _end_to_end(texts: pa.StringArray) -> memoryview:
    """The UTF-8 of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    ends = memoryview(offsets).cast("i")
    return memoryview(data)[ends[texts.offset] : ends[texts.offset + len(texts)]]
