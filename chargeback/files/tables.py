"""Writes tables as CSV and XLSX so that text stays text and amounts stay exact.

Names and tags are other people's text. A spreadsheet runs a cell of a CSV file as a formula by its
first character, quoted or not; a workbook says of each cell what it is, so there it is said.
"""

import csv
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from chargeback.errors import Problem

SHEET_ROWS = 1_048_576
"""Rows of a sheet (Microsoft Support, "Excel specifications and limits")."""

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the machine's own code page
# OWASP, "CSV Injection", with its full-width forms; OWASP ASVS 1.2.10 adds the null character.
_FORMULA_STARTS = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")
_RICH_TEXT_START = "<r>"
_NAME_LENGTH = 80
_NARROWEST, _WIDEST = 10, 60  # characters
_FILTER_BUTTON = 3  # characters it covers of a column's name

_Style = dict[str, object]
_HEADER: _Style = {"bold": True, "bottom": 1, "bg_color": "#F5F7F9"}
_TOTAL: _Style = {"bold": True, "top": 1}
_CENTS: _Style = {"num_format": "#,##0.00;[Red]-#,##0.00"}
_IN_FULL: _Style = {"num_format": "#,##0.00########"}
_STYLES: dict[str, _Style] = {
    "title": {"bold": True, "font_size": 14},
    "note": {"font_color": "#5B6675"},
    "header": _HEADER,
    "amount header": {**_HEADER, "align": "right"},
    "text": {},
    # Excel's own leading apostrophe: keeps the text a text even when someone edits the cell.
    "formula-like": {"quote_prefix": True},
    "whole": {"num_format": "#,##0"},
    "cents": _CENTS,
    "in full": _IN_FULL,
    "date": {"num_format": "yyyy-mm-dd"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "total": _TOTAL,
    "total cents": {**_CENTS, **_TOTAL},
    "total in full": {**_IN_FULL, **_TOTAL},
}


class TooManyRows(Problem):
    """A table longer than a sheet of a workbook can be."""

    def __init__(self, sheet: str) -> None:
        super().__init__(
            f"The sheet {sheet!r} would have more than {SHEET_ROWS:,} rows.",
            "Excel can't hold them, so no workbook was written.",
            "Use the CSV file: it has no such limit.",
        )


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file holds, for whoever checks it later."""

    rows: int
    """Rows below the header."""
    sha256: str
    """Of all bytes, hexadecimal."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: title lines, a header, rows, and perhaps their total."""

    name: str
    """At most 31 characters, none of `[]:*?/\\`."""
    title_lines: Sequence[str]
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    money_columns: Collection[str]
    """Columns of amounts: two decimals are shown as cents, others in full."""
    total_row: bool
    """Whether a last row adds up the money columns."""


def neutralise(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would run as a formula.

    Source: OWASP, "CSV Injection". Text that begins otherwise is returned as it is.
    """
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text


def safe_file_name(text: str) -> str:
    """Makes any text a part of a file name.

    Returns:
        1 to 80 characters of `A-Za-z0-9._-`, which neither begin nor end with `.` or `-`: no
        hidden file, no option of a command, no parent folder. Each run of other characters
        becomes one `-`, so that two texts may get one name. What leaves nothing is `unnamed`.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    return kept[:_NAME_LENGTH].rstrip("-.") or "unnamed"


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
        _check_length(row, columns)
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
            return f"{_amount(value):f}"
        case bool():
            return _yes_or_no(value)
        case int():
            return str(value)
        case date():
            return value.isoformat()
    raise _unwritable(value)


def _amount(value: Decimal) -> Decimal:
    """The same amount, without the sign of a negative zero."""
    if not value.is_finite():
        raise ValueError(f"cannot write {value}: not a finite amount")
    return value if value else value.copy_abs()


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _unwritable(value: object) -> TypeError:
    return TypeError(f"a cell cannot hold a value of type {type(value).__name__}")


def _check_length(row: Sequence[object], columns: Sequence[str]) -> None:
    if len(row) != len(columns):
        raise ValueError(f"a row has {len(row)} cells, the header {len(columns)}")


def write_workbook(out: BinaryIO, sheets: Sequence[Sheet], created: datetime) -> None:
    """Writes an XLSX workbook of values only: no formula, no link, no macro.

    Cells are as for `write_csv`, dates as dates, times in UTC. Text is as it came, but for one
    leading apostrophe before `<r>`; Excel's limit cuts it at 32,767 characters. An amount is
    written with 16 significant digits and Excel keeps 15: cents are exact below ten trillion,
    longer amounts are exact in the CSV only.

    Equal sheets and times give equal bytes (with one version of xlsxwriter and zlib): `created` is
    the only time in the document, and xlsxwriter dates the parts of the archive 1980-01-31.

    Args:
        out: Where to; stays open. Nothing is written before all sheets are complete.
        sheets: At least one, each with a name of its own.
        created: Aware; what the document says of when it was made.

    Raises:
        TooManyRows: A sheet would be longer than Excel allows.
        TypeError, ValueError: As for `write_csv`.
    """
    # A folder of its own, because xlsxwriter leaves its files behind when a row can't be written.
    with TemporaryDirectory() as folder:
        workbook = Workbook(
            out,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        workbook.set_properties({"created": created.astimezone(UTC)})
        styles = {name: workbook.add_format(style) for name, style in _STYLES.items()}
        for sheet in sheets:
            _SheetWriter(sheet, workbook.add_worksheet(sheet.name), styles).write()
        workbook.close()


class _SheetWriter:
    """Fills one worksheet from top to bottom, which is the order constant memory asks for."""

    def __init__(self, sheet: Sheet, worksheet: Worksheet, styles: dict[str, Format]) -> None:
        self._sheet = sheet
        self._worksheet = worksheet
        self._styles = styles
        self._money = [name in sheet.money_columns for name in sheet.columns]
        self._widths = [len(name) + _FILTER_BUTTON for name in sheet.columns]
        self._totals = [Decimal() for _ in sheet.columns]

    def write(self) -> None:
        header = self._write_titles()
        self._write_header(header)
        last = self._write_rows(header)
        if self._sheet.total_row:
            self._write_total(last + 1)
        self._worksheet.freeze_panes(header + 1, 0)
        self._worksheet.autofilter(header, 0, last, len(self._sheet.columns) - 1)
        for column, width in enumerate(self._widths):
            self._worksheet.set_column(column, column, min(max(width, _NARROWEST), _WIDEST) + 1)

    def _write_titles(self) -> int:
        """Writes the title lines; returns the row of the header, an empty row below them."""
        for row, line in enumerate(self._sheet.title_lines):
            self._put_text(row, 0, line, "note" if row else "title")
        return len(self._sheet.title_lines) + 1 if self._sheet.title_lines else 0

    def _write_header(self, row: int) -> None:
        for column, name in enumerate(self._sheet.columns):
            style = "amount header" if self._money[column] else "header"
            self._put_text(row, column, name, style)

    def _write_rows(self, header: int) -> int:
        """Writes the rows below the header; returns the last row used."""
        room = SHEET_ROWS - self._sheet.total_row
        at = header
        for at, row in enumerate(self._sheet.rows, start=header + 1):
            if at >= room:
                raise TooManyRows(self._sheet.name)
            _check_length(row, self._sheet.columns)
            for column, value in enumerate(row):
                self._put(at, column, value)
        return at

    def _write_total(self, row: int) -> None:
        for column, total in enumerate(self._totals):
            if self._money[column]:
                self._put_amount(row, column, total, "total ")
            else:
                self._put_text(row, column, "" if column else "Total", "total")

    def _put(self, row: int, column: int, value: object) -> None:
        match value:
            case "" | None:
                pass
            case str():
                style = "formula-like" if value[0] in _FORMULA_STARTS else "text"
                self._put_text(row, column, value, style)
                self._widen(column, len(value))
            case Decimal():
                self._put_amount(row, column, value)
                self._totals[column] += value
            case bool():
                self._put_text(row, column, _yes_or_no(value), "text")
            case int():
                self._worksheet.write_number(row, column, value, self._styles["whole"])
                self._widen(column, len(f"{value:,}"))
            case date():
                self._put_date(row, column, value)
            case _:
                raise _unwritable(value)

    def _put_text(self, row: int, column: int, text: str, style: str) -> None:
        # xlsxwriter takes text that begins and ends like its own rich text for XML and writes it
        # unescaped: a tag could put cells and formulas of its own into the sheet.
        guard = "'" if text.startswith(_RICH_TEXT_START) else ""
        self._worksheet.write_string(row, column, guard + text, self._styles[style])

    def _put_amount(self, row: int, column: int, value: Decimal, prefix: str = "") -> None:
        # As a Decimal: xlsxwriter prints its digits, no float stands between.
        amount = _amount(value)
        in_cents = self._money[column] and amount.as_tuple().exponent == -2
        style = self._styles[f"{prefix}{'cents' if in_cents else 'in full'}"]
        self._worksheet.write(row, column, amount, style)
        self._widen(column, len(f"{amount:,f}"))

    def _put_date(self, row: int, column: int, value: date) -> None:
        style = "time" if isinstance(value, datetime) else "date"
        moment = _excel_time(value)
        self._worksheet.write_datetime(row, column, moment, self._styles[style])
        self._widen(column, len(str(value)))

    def _widen(self, column: int, width: int) -> None:
        self._widths[column] = max(self._widths[column], width)


def _excel_time(value: date) -> datetime:
    """Excel knows no time zones: UTC, as everywhere."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
