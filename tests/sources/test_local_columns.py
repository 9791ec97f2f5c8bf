"""Whatever types the columns of a bill have, and whatever stands in them, the sums are the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from chargeback.errors import SourceProblem
from chargeback.sources.local.files import LocalFiles

from .bills import (
    MAP,
    MONTH,
    SCHEMA,
    TEXT,
    changed,
    line,
    partition,
    read,
    schema,
    sold,
    table,
    write,
)

ROWS = [line(1), line(2, 2.0)]
START, COST = "line_item_usage_start_date", "line_item_unblended_cost"
NET, AMOUNT = "line_item_net_unblended_cost", "line_item_usage_amount"
ACCOUNT, INVOICE = "line_item_usage_account_id", "bill_invoice_id"
ENTRIES = pa.list_(pa.struct([("key", TEXT), ("value", TEXT)]))
DAY = date(2026, 10, 5)


def written(
    cur: Path, column: str, type_: pa.DataType, values: Sequence[Any], name: str = "a.parquet"
) -> None:
    """Two lines with these values in a column of this type."""
    columns = schema(**{column: type_})
    write(partition(cur), changed(ROWS, column, values), name, columns=columns)


def refusal(cur: Path) -> str:
    with pytest.raises(SourceProblem) as refused:
        read(cur)
    return str(refused.value)


@pytest.mark.parametrize(
    ("type_", "value", "read_as"),
    [
        (TEXT, "111122223333", "111122223333"),
        (TEXT, "111122223", "000111122223"),
        (TEXT, "111122223333.0", "111122223333"),
        (TEXT, "111122223.0", "000111122223"),
        (TEXT, "", ""),
        (TEXT, None, ""),
        (TEXT, "r-1234", "r-1234"),
        (TEXT, "1111222233334", "1111222233334"),
        (pa.int64(), 111122223, "000111122223"),
        (pa.int32(), 7, "000000000007"),
        (pa.uint64(), 999900000001, "999900000001"),
        (pa.float64(), 111122223333.0, "111122223333"),
        (pa.float64(), 111122223.0, "000111122223"),
        (pa.float64(), float("nan"), ""),
        (pa.decimal128(20, 0), Decimal(111122223), "000111122223"),
        (pa.decimal128(20, 2), Decimal(111122223), "000111122223"),
        (pa.dictionary(pa.int32(), TEXT), "111122223", "000111122223"),
        (pa.large_string(), "111122223", "000111122223"),
        (pa.binary(), b"111122223", "000111122223"),
        (pa.null(), None, ""),
    ],
    ids=str,
)
def test_account_ids_have_twelve_digits(
    tmp_path: Path, type_: pa.DataType, value: object, read_as: str
) -> None:
    written(tmp_path, ACCOUNT, type_, [value, value])
    found = read(tmp_path)
    assert (found.total, found.values("usage_account_id")) == (Decimal(3), {read_as})


@pytest.mark.parametrize(
    ("type_", "value", "read_as"),
    [
        (pa.int64(), 77, "77"),
        (pa.float64(), 77.0, "77"),
        (pa.float64(), 77.5, "77.5"),
        (pa.float64(), float("nan"), ""),
        (pa.decimal128(9, 1), Decimal(77), "77"),
        (pa.bool_(), True, "true"),
        (TEXT, "077", "077"),
        (TEXT, "77.0", "77.0"),
    ],
    ids=str,
)
def test_ids_are_text(tmp_path: Path, type_: pa.DataType, value: object, read_as: str) -> None:
    written(tmp_path, INVOICE, type_, [value, value])
    assert read(tmp_path).values("invoice_id") == {read_as}


@pytest.mark.parametrize("other", [pa.int64(), pa.float64(), pa.decimal128(20, 0)], ids=str)
def test_files_of_a_month_may_differ_in_their_types(tmp_path: Path, other: pa.DataType) -> None:
    write(partition(tmp_path), changed(ROWS, ACCOUNT, ["000111122223"] * 2), "text.parquet")
    written(tmp_path, ACCOUNT, other, [111122223, 111122223], "number.parquet")
    found = read(tmp_path)
    assert found.total == Decimal(6)
    assert found.values("usage_account_id") == {"000111122223"}


MAPS: dict[str, tuple[pa.DataType, Any]] = {
    "map": (MAP, [("team", "eng"), ("size", "1")]),
    "JSON text": (TEXT, json.dumps({"team": "eng", "size": 1})),
    "JSON text with blanks": (TEXT, ' {"team": "eng", "size": "1"} '),
    "struct": (pa.struct([("team", TEXT), ("size", pa.int64())]), {"team": "eng", "size": 1}),
    "struct with what others have": (
        pa.struct([("team", TEXT), ("size", TEXT), ("other", TEXT)]),
        {"team": "eng", "size": "1", "other": None},
    ),
    "list of entries": (
        ENTRIES,
        [{"key": "team", "value": "eng"}, {"key": "size", "value": "1"}],
    ),
    "map of other text": (
        pa.map_(pa.dictionary(pa.int32(), TEXT), pa.large_string()),
        [("team", "eng"), ("size", "1")],
    ),
}


@pytest.mark.parametrize(("type_", "value"), MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("column", ["tags", "cost_category"])
def test_maps_come_in_many_shapes(
    tmp_path: Path, column: str, type_: pa.DataType, value: object
) -> None:
    rows = changed(ROWS, "tags", [None, None])
    rows = changed(rows, column, [value, None])
    write(partition(tmp_path), rows, columns=schema(**{column: type_}))
    found = read(tmp_path)
    assert found.codes == []
    assert found.values(column) == {'{"team":"eng","size":"1"}', "{}"}


def test_maps_may_differ_from_file_to_file(tmp_path: Path) -> None:
    for number, (type_, value) in enumerate(MAPS.values()):
        written(tmp_path, "tags", type_, [value, value], f"{number}.parquet")
    found = read(tmp_path)
    assert found.total == 3 * len(MAPS)
    assert found.values("tags") == {'{"team":"eng","size":"1"}'}


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (TEXT, ""),
        (TEXT, "  "),
        (TEXT, None),
        (TEXT, "null"),
        (TEXT, "{}"),
        (MAP, []),
        (ENTRIES, []),
        (pa.float64(), float("nan")),
        (pa.null(), None),
        (pa.struct([("team", TEXT)]), {"team": None}),
    ],
    ids=str,
)
def test_a_map_that_says_nothing_is_absent(
    tmp_path: Path, type_: pa.DataType, value: object
) -> None:
    written(tmp_path, "tags", type_, [value, None])
    found = read(tmp_path)
    assert (found.total, found.codes, found.values("tags")) == (Decimal(3), [], {"{}"})


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (TEXT, "NaN"),
        (TEXT, "{"),
        (TEXT, "{'team': 'eng'}"),
        (TEXT, '["eng"]'),
        (TEXT, '"eng"'),
        (TEXT, "7"),
        (TEXT, '{"a": 1, "a": 2}'),
        (pa.int64(), 7),
        (pa.list_(TEXT), ["eng"]),
        (ENTRIES, [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]),
    ],
    ids=str,
)
@pytest.mark.parametrize("column", ["tags", "product"])
def test_a_map_that_cannot_be_read_leaves_the_line_without_it(
    tmp_path: Path, column: str, type_: pa.DataType, value: object
) -> None:
    written(tmp_path, column, type_, [None, value])
    found = read(tmp_path)
    assert found.total == Decimal(3)
    notice = found.notice("tags-unreadable")
    assert notice.about["column"] == column
    assert (notice.lines, notice.amount, notice.currency) == (1, Decimal(2), "USD")
    assert len(notice.about["value"]) > 2


def test_only_bedrock_lines_are_told_of(tmp_path: Path) -> None:
    other = line(3, 4.0, line_item_product_code="AmazonEC2", tags="NaN")
    rows = [*changed(ROWS, "tags", ["{}", "{}"]), other]
    write(partition(tmp_path), rows, columns=schema(tags=TEXT))
    assert read(tmp_path).codes == []


EXACT = [
    (TEXT, "0.000000012345", "0.000000012345"),
    (TEXT, "12345678901234567.123456789012", "12345678901234567.123456789012"),
    (TEXT, " 1.5 ", "1.5"),
    (TEXT, "1e-7", "0.0000001"),
    (pa.float64(), 0.1, "0.1"),
    (pa.float64(), 1e-7, "0.0000001"),
    (pa.float32(), 0.1, "0.1"),
    (pa.int64(), 3, "3"),
    (pa.decimal128(38, 18), Decimal("0.123456789012"), "0.123456789012"),
    (TEXT, "", None),
    (TEXT, " ", None),
    (TEXT, None, None),
    (pa.null(), None, None),
]


@pytest.mark.parametrize(("type_", "value", "exact"), EXACT, ids=str)
@pytest.mark.parametrize(
    ("column", "stored"),
    [(COST, "unblended_cost"), (NET, "net_unblended_cost"), (AMOUNT, "usage_amount")],
)
def test_numbers_are_exact_and_blanks_absent(
    tmp_path: Path, column: str, stored: str, type_: pa.DataType, value: object, exact: str | None
) -> None:
    write(
        partition(tmp_path),
        [line(1, None, line_item_usage_amount=None) | {column: value}],
        columns=schema(**{column: type_}),
    )
    (row,) = read(tmp_path).spend
    absent = None if column == NET else Decimal()
    assert row[stored] == (absent if exact is None else Decimal(exact))


def test_numbers_of_files_that_differ_stay_exact(tmp_path: Path) -> None:
    """A sum as doubles would lose the last digits."""
    texts = [(type_, value, exact) for type_, value, exact in EXACT if exact is not None]
    for number, (type_, value, _) in enumerate(texts):
        rows = [line(1) | {COST: value}]
        write(partition(tmp_path), rows, f"{number}.parquet", columns=schema(**{COST: type_}))
    assert read(tmp_path).total == sum(Decimal(exact) for *_, exact in texts)


UNREADABLE = [
    (TEXT, "n/a"),
    (TEXT, "1,5"),
    (TEXT, "NaN"),
    (TEXT, "$1.00"),
    (TEXT, "1e300"),
    (pa.float64(), float("nan")),
    (pa.float64(), float("inf")),
    (pa.float64(), float("-inf")),
    (pa.float64(), 1e300),
    (pa.float64(), 1e27),
    (pa.timestamp("us"), datetime(2026, 10, 1)),
]


@pytest.mark.parametrize(("type_", "value"), UNREADABLE, ids=str)
@pytest.mark.parametrize("column", [COST, NET, AMOUNT])
def test_a_cost_or_amount_that_cannot_be_read_refuses_the_month(
    tmp_path: Path, column: str, type_: pa.DataType, value: object
) -> None:
    write(partition(tmp_path), ROWS, "good.parquet")
    written(tmp_path, column, type_, [None, value], "odd.parquet")
    said = refusal(tmp_path)
    assert f"(odd.parquet): 1 line has a {column} that can't be read, such as “" in said
    assert str(tmp_path) not in said


def test_how_many_lines_and_a_short_value_that_is_seen(tmp_path: Path) -> None:
    written(tmp_path, COST, TEXT, ["\0\n" + "x" * 1000] * 2)
    said = refusal(tmp_path)
    assert "2 lines have a line_item_unblended_cost" in said
    assert "such as “\\x00\\nxxx" in said
    assert len(said) < 500


@pytest.mark.parametrize("code", ["AmazonEC2", "prodother"])
def test_costs_of_other_services_are_of_no_concern(tmp_path: Path, code: str) -> None:
    other = {
        **sold(3, 4.0, "Another product"),
        "line_item_product_code": code,
        COST: "n/a",
        NET: None,
    }
    rows = [*changed(ROWS, COST, ["1", "2"]), other]
    write(partition(tmp_path), rows, columns=schema(**{COST: TEXT}))
    assert read(tmp_path).total == Decimal(3)


@pytest.mark.parametrize(
    "column", [COST, "line_item_usage_type", "line_item_line_item_description"]
)
def test_text_that_is_no_utf8_refuses_the_month(tmp_path: Path, column: str) -> None:
    whole = write(
        partition(tmp_path), changed(ROWS, COST, ["1", "2"]), columns=schema(**{COST: TEXT})
    )
    lines = parquet.read_table(whole, partitioning=None)
    bad = pa.Array.from_buffers(TEXT, 2, pa.array([b"a\xff", b"ok"]).buffers())
    parquet.write_table(lines.set_column(lines.column_names.index(column), column, bad), whole)
    said = refusal(tmp_path)
    assert f"(a.parquet): 1 line has a {column} that can't be read, such as “a\\xff”" in said


def test_costs_that_add_up_to_too_much_are_said(tmp_path: Path) -> None:
    write(partition(tmp_path), [line(n, 9e25) for n in range(400)])
    assert "add up to more than can be held" in refusal(tmp_path)


DATES = [
    (TEXT, "2026-10-05T03:00:00Z"),
    (TEXT, "2026-10-05T03:00:00.000Z"),
    (TEXT, "2026-10-05 03:00:00"),
    (TEXT, "2026-10-06T01:00:00+09:00"),
    (TEXT, " 2026-10-05 "),
    (pa.date32(), DAY),
    (pa.timestamp("s"), datetime(2026, 10, 5, 3)),
    (pa.timestamp("us"), datetime(2026, 10, 5, 3)),
    (pa.timestamp("ns"), datetime(2026, 10, 5, 3)),
    (pa.timestamp("ms", "UTC"), datetime(2026, 10, 5, 3, tzinfo=UTC)),
    (pa.timestamp("us", "Asia/Tokyo"), datetime(2026, 10, 5, 23, tzinfo=UTC)),
]


@pytest.mark.parametrize(("type_", "value"), DATES, ids=str)
def test_dates_come_in_many_shapes(tmp_path: Path, type_: pa.DataType, value: object) -> None:
    written(tmp_path, START, type_, [value, value])
    found = read(tmp_path)
    assert (found.values("usage_date"), found.codes) == ({DAY}, [])


def test_dates_of_files_may_differ(tmp_path: Path) -> None:
    for number, (type_, value) in enumerate(DATES):
        written(tmp_path, START, type_, [value, value], f"{number}.parquet")
    found = read(tmp_path)
    assert (found.total, found.values("usage_date")) == (Decimal(3 * len(DATES)), {DAY})


@pytest.mark.parametrize(
    ("type_", "value"),
    [(TEXT, ""), (TEXT, " "), (TEXT, None), (pa.timestamp("us"), None), (pa.null(), None)],
    ids=str,
)
def test_an_absent_date_is_no_fault(tmp_path: Path, type_: pa.DataType, value: object) -> None:
    written(tmp_path, START, type_, [value, value])
    found = read(tmp_path)
    assert (found.total, found.values("usage_date"), found.codes) == (Decimal(3), {None}, [])


LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (TEXT, "junk"),
        (TEXT, "0001-01-01"),
        (TEXT, "9999-12-31T00:00:00Z"),
        (TEXT, "290000-01-01"),
        (pa.timestamp("us"), datetime(1, 1, 1)),
        (pa.timestamp("us"), datetime(9999, 12, 31)),
        (pa.date32(), date(9999, 12, 31)),
        (pa.date32(), 2_000_000_000),
        (pa.date32(), -2_000_000_000),
        (pa.int64(), 1791169200),
        (pa.timestamp("us"), 9_088_000_000_000_000_000),
        (pa.timestamp("us"), LARGEST),
        (pa.timestamp("us"), -LARGEST - 1),
        (pa.timestamp("ms"), LARGEST),
        (pa.timestamp("ms"), 9_151_000_000_000_000),
        (pa.timestamp("ns"), LARGEST),
    ],
    ids=str,
)
@pytest.mark.parametrize("column", [START, "line_item_usage_end_date"])
def test_a_date_that_cannot_be_keeps_its_line(
    tmp_path: Path, column: str, type_: pa.DataType, value: object
) -> None:
    # Arrow takes numbers for moments that Python can't tell.
    whole = table(ROWS)
    dates = pa.array([value, None], type_)
    odd = whole.set_column(SCHEMA.get_field_index(column), column, dates)
    parquet.write_table(odd, partition(tmp_path) / "a.parquet")
    found = read(tmp_path)
    assert found.total == Decimal(3)
    if column == START:
        assert found.values("usage_date") == {None}
        notice = found.notice("dates-unreadable")
        assert (notice.lines, notice.amount) == (1, Decimal(1))
    else:
        assert (found.values("usage_date"), found.codes) == ({DAY}, [])


NESTED = schema(
    ["product", "resource_tags", "cost_category"],
    product_product_name=TEXT,
    product_location=TEXT,
    resource_tags_user_team=TEXT,
    resource_tags_aws_created=TEXT,
    cost_category_Unit=TEXT,
)


def test_keys_as_columns_are_read_as_the_map(tmp_path: Path) -> None:
    rows = [
        sold(1, 9.0)
        | {
            "tags": None,
            "product_product_name": "Claude (Amazon Bedrock Edition)",
            "resource_tags_user_team": "eng",
            "resource_tags_aws_created": "",
            "cost_category_Unit": "7",
        }
    ]
    write(partition(tmp_path), rows, columns=NESTED)
    found = read(tmp_path)
    assert found.total == Decimal(9)
    assert found.values("resource_tags") == {'{"user_team":"eng"}'}
    assert found.values("cost_category") == {'{"Unit":"7"}'}
    assert found.values("product_name") == {"Claude (Amazon Bedrock Edition)"}
    told = {notice.about["column"]: notice.about["columns"] for notice in found.extract.notices}
    assert set(found.codes) == {"column-nested"}
    assert told == {
        "product": "product_product_name",
        "resource_tags": "resource_tags_aws_created, resource_tags_user_team",
        "cost_category": "cost_category_Unit",
    }


def test_keys_as_columns_may_stand_beside_files_with_the_map(tmp_path: Path) -> None:
    write(partition(tmp_path), [sold(1, 9.0)])
    nested = sold(2, 1.0) | {"product_product_name": "Claude (Amazon Bedrock Edition)"}
    write(partition(tmp_path), [nested], "b.parquet", columns=NESTED)
    assert read(tmp_path).total == Decimal(10)


def test_other_columns_of_the_product_are_not_its_name(tmp_path: Path) -> None:
    write(
        partition(tmp_path),
        [sold(1, 9.0), line(2)],
        columns=schema(["product"], product_location=TEXT),
    )
    found = read(tmp_path)
    assert found.total == Decimal(1)
    missing = [n for n in found.extract.notices if n.code == "column-missing"]
    assert [(n.about["column"], n.blocks_close) for n in missing] == [("product", True)]


def test_a_column_that_one_file_lacks_is_said(tmp_path: Path) -> None:
    write(partition(tmp_path), ROWS)
    write(partition(tmp_path), [line(3, 4.0)], "b.parquet", columns=schema(["tags"]))
    found = read(tmp_path)
    assert found.total == Decimal(7)
    assert found.notice("column-missing").about["column"] == "tags"


def test_a_cost_that_one_file_lacks_is_not_taken_for_nothing(tmp_path: Path) -> None:
    write(partition(tmp_path), ROWS)
    write(partition(tmp_path), [line(3, 4.0)], "b.parquet", columns=schema([COST]))
    assert f"This export lacks {COST}" in refusal(tmp_path)


def test_names_of_columns_may_be_in_capitals(tmp_path: Path) -> None:
    file = write(partition(tmp_path), changed(ROWS, ACCOUNT, ["7", "7"]))
    lines = parquet.read_table(file, partitioning=None)
    parquet.write_table(lines.rename_columns([name.upper() for name in lines.column_names]), file)
    found = read(tmp_path)
    assert (found.total, found.values("usage_account_id")) == (Decimal(3), {"000000000007"})


costs = st.decimals(-(10**15), 10**15, places=12, allow_nan=False)
kinds = st.sampled_from(["text", "decimal", "double"])
ARROW = {"text": TEXT, "decimal": pa.decimal128(38, 12), "double": pa.float64()}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(costs, kinds), min_size=1, max_size=4))
def test_sums_are_exact_whatever_wrote_the_files(filled: list[tuple[Decimal, str]]) -> None:
    with TemporaryDirectory() as folder:
        cur, expected = Path(folder), Decimal()
        for number, (cost, kind) in enumerate(filled):
            value: Any = {"text": str(cost), "decimal": cost, "double": float(cost)}[kind]
            # A double's shortest decimal form is what AWS wrote; beyond twelve places it is cut.
            exact = Decimal(repr(value)) if kind == "double" else cost
            expected += exact.quantize(Decimal("1e-12"))
            rows = [line(number, None) | {COST: value}]
            write(partition(cur), rows, f"{number}.parquet", columns=schema(**{COST: ARROW[kind]}))
        assert abs(read(cur).total - expected) <= Decimal("1e-12") * len(filled)


values = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["{}", "[]", "NaN", "null", '{"a": "b"}', '{"a": {"b": 1}}', "2026-10-05"]),
)


@settings(max_examples=40, deadline=None)
@given(values, values, values, values)
def test_no_text_in_a_map_date_or_id_loses_a_line(
    tags: str | None, product: str | None, start: str | None, account: str | None
) -> None:
    with TemporaryDirectory() as folder:
        types = {"tags": TEXT, "product": TEXT, START: TEXT}
        row = line(1, 2.0, tags=tags, product=product, line_item_usage_account_id=account)
        write(partition(Path(folder)), [row | {START: start}], columns=schema(**types))
        found = read(LocalFiles(Path(folder)))
        assert (found.total, found.spend[0]["line_count"]) == (Decimal(2), 1)
        assert found.spend[0]["billing_period"] == MONTH
