"""Tables as workbooks (XLSX)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from chargeback.errors import Problem
from chargeback.files.cells import FORMULA_STARTS, check_length, plain_amount, unwritable, yes_or_no

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576
"""Rows of a sheet (Microsoft Support, "Excel specifications and limits")."""
_RICH_TEXT_START = "<r>"
_NARROWEST, _WIDEST = 10, 60  # characters
_FILTER_BUTTON = 3  # characters it covers of a column's name
_A4 = 9
_PRINTED_TITLE = 120
"""Characters of a title at the head of each printed page; Excel takes 255, its codes included."""

_Style = dict[str, object]
_HEADER: _Style = {"bold": True, "bottom": 1, "bg_color": "#F5F7F9"}
_TOTAL: _Style = {"bold": True, "top": 1}
_CENTS: _Style = {"num_format": '#,##0.00;[Red]-#,##0.00;"–"'}
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
    from xlsxwriter import Workbook  # noqa: PLC0415  (the command line starts faster without)

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
        self._set_up_print(header)

    def _set_up_print(self, header: int) -> None:
        """On paper: across one page, with its title, header and number on each."""
        self._worksheet.set_paper(_A4)
        self._worksheet.set_landscape()
        self._worksheet.fit_to_pages(1, 0)
        self._worksheet.repeat_rows(header)
        titles = (*self._sheet.title_lines, self._sheet.name)
        title = titles[0][:_PRINTED_TITLE].replace("&", "&&")  # a single one begins a code
        self._worksheet.set_header(f"&L{title}")
        self._worksheet.set_footer("&L&A&RPage &P of &N")

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
            check_length(row, self._sheet.columns)
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
                style = "formula-like" if value[0] in FORMULA_STARTS else "text"
                self._put_text(row, column, value, style)
                self._widen(column, len(value))
            case Decimal():
                self._put_amount(row, column, value)
                self._totals[column] += value
            case bool():
                self._put_text(row, column, yes_or_no(value), "text")
            case int():
                self._worksheet.write_number(row, column, value, self._styles["whole"])
                self._widen(column, len(f"{value:,}"))
            case date():
                self._put_date(row, column, value)
            case _:
                raise unwritable(value)

    def _put_text(self, row: int, column: int, text: str, style: str) -> None:
        # xlsxwriter takes text that begins and ends like its own rich text for XML and writes it
        # unescaped: a tag could put cells and formulas of its own into the sheet.
        guard = "'" if text.startswith(_RICH_TEXT_START) else ""
        self._worksheet.write_string(row, column, guard + text, self._styles[style])

    def _put_amount(self, row: int, column: int, value: Decimal, prefix: str = "") -> None:
        # As a Decimal: xlsxwriter prints its digits, no float stands between.
        amount = plain_amount(value)
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
