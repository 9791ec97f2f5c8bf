"""CUR 2.0 exports on disk: what is read of them, and what is said when they can't be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback import database
from chargeback.demo import write_demo
from chargeback.errors import SourceProblem
from chargeback.notices import COLUMNS, Notice
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.cur2 import REQUIRED
from chargeback.sources.local import files as local
from chargeback.sources.local.files import LocalFiles
from chargeback.sources.local.kinds import number_kinds
from chargeback.sources.local.table import Files, Table
from chargeback.sources.products import sorted_products

from . import bills

MONTH = "2026-10"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October and November 2026."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, today=date(2026, 11, 23), months=2, lines=300)
    return folder


@pytest.fixture
def cur(demo: Path, tmp_path: Path) -> Path:
    """A copy that a test may change. Without manifests, what lies there is what counts."""
    copy = shutil.copytree(demo, tmp_path / "cur")
    shutil.rmtree(copy / "bedrock-cur2" / "metadata")
    return copy


def partition(cur: Path, export: str = "bedrock-cur2") -> Path:
    return cur / export / "data" / f"BILLING_PERIOD={MONTH}"


def rewritten(cur: Path, change: object) -> None:
    """Writes the month's only file anew, as `change` makes it of its table."""
    (file,) = partition(cur).glob("*.parquet")
    assert callable(change)
    parquet.write_table(change(parquet.read_table(file, partitioning=None)), file)


def read(cur: Path, out: Path) -> tuple[pa.Table, tuple[Notice, ...]]:
    """The month's daily spend, and what a reader must know of it."""
    extract = LocalFiles(cur).extract(MONTH, out / "spend.parquet", StoreKnowledge())
    return parquet.read_table(out / "spend.parquet"), extract.notices


def total(spend: pa.Table) -> Decimal:
    return sum(spend["unblended_cost"].to_pylist(), Decimal())


def test_periods_are_those_of_the_folders_newest_first(cur: Path) -> None:
    assert [period.billing_period for period in LocalFiles(cur).periods()] == ["2026-11", MONTH]


def test_a_changed_file_changes_its_period_alone(cur: Path) -> None:
    before = {period.billing_period: period.version for period in LocalFiles(cur).periods()}
    rewritten(cur, lambda table: table.slice(1))
    after = {period.billing_period: period.version for period in LocalFiles(cur).periods()}
    assert {month for month in before if before[month] != after[month]} == {MONTH}


def test_the_manifests_that_the_demo_writes_change_nothing(demo: Path, tmp_path: Path) -> None:
    spend, notices = read(demo, tmp_path)
    cur = shutil.copytree(demo, tmp_path / "cur")
    shutil.rmtree(cur / "bedrock-cur2" / "metadata")
    assert notices == ()
    without = read(cur, tmp_path)[0]
    assert sorted(map(str, without.to_pylist())) == sorted(map(str, spend.to_pylist()))


def test_exports_side_by_side_are_added_up(cur: Path, tmp_path: Path) -> None:
    once, no_notice = read(cur, tmp_path)
    other = shutil.copytree(cur / "bedrock-cur2", cur / "other-payer")
    (file,) = (other / "data" / f"BILLING_PERIOD={MONTH}").glob("*.parquet")
    table = parquet.read_table(file, partitioning=None)
    payer = pa.array(["000011112222"] * len(table), pa.string())
    at = table.column_names.index("bill_payer_account_id")
    # The other export also has fewer columns.
    table = table.set_column(at, "bill_payer_account_id", payer).drop_columns(["cost_category"])
    parquet.write_table(table, file)
    twice, notices = read(cur, tmp_path)
    assert total(twice) == 2 * total(once)
    assert notices == no_notice == ()


def test_other_folders_named_like_partitions_are_no_columns(tmp_path: Path) -> None:
    for number, folder in enumerate(("tags=1", "line_item_unblended_cost=5", "plain")):
        line = bills.line(number, 2.0**number, bill_payer_account_id=f"99990000000{number}")
        bills.write(bills.partition(tmp_path, f"{folder}/export-{number}"), [line])
    lower = tmp_path / "plain" / "export-2" / "data" / f"billing_period={MONTH}"
    lower.with_name(f"BILLING_PERIOD={MONTH}").rename(lower)
    assert bills.read(tmp_path).total == Decimal(7)


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_a_missing_column_is_said_and_costs_nothing_else(
    cur: Path, tmp_path: Path, column: str
) -> None:
    whole, _ = read(cur, tmp_path)
    rewritten(cur, lambda table: table.drop_columns([column]))
    spend, notices = read(cur, tmp_path)
    (notice,) = [notice for notice in notices if notice.code == "column-missing"]
    assert (notice.about["column"], notice.severity) == (column, COLUMNS[column].severity)
    assert notice.words == COLUMNS[column].words
    if column in ("bill_billing_entity", "product"):
        assert Decimal() < total(spend) < total(whole)  # what AWS Marketplace sells is missing
    else:
        assert total(spend) == total(whole)


@pytest.mark.parametrize("column", REQUIRED)
def test_without_a_required_column_nothing_is_read(cur: Path, tmp_path: Path, column: str) -> None:
    rewritten(cur, lambda table: table.drop_columns([column]))
    with pytest.raises(SourceProblem, match=column):
        read(cur, tmp_path)


def test_days_are_utc_whatever_the_machines_time_zone(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend, _ = read(cur, tmp_path)

    def in_utc(table: pa.Table) -> pa.Table:
        for name in ("line_item_usage_start_date", "line_item_usage_end_date"):
            at = table.column_names.index(name)
            column = table[name].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            table = table.set_column(at, name, column)
        return table

    rewritten(cur, in_utc)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    marked, _ = read(cur, tmp_path)
    days = "usage_date"
    assert sorted(marked[days].to_pylist()) == sorted(spend[days].to_pylist())


def test_a_broken_file_is_named(cur: Path, tmp_path: Path) -> None:
    (partition(cur) / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceProblem, match=r"2026-10.*broken\.parquet") as problem:
        read(cur, tmp_path)
    assert str(tmp_path) not in str(problem.value)


def test_flipped_bytes_are_found_in_their_file(cur: Path, tmp_path: Path) -> None:
    (file,) = partition(cur).glob("*.parquet")
    content = bytearray(file.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    (partition(cur) / "flipped.parquet").write_bytes(content)
    with pytest.raises(SourceProblem, match=r"2026-10 can't be read \(flipped\.parquet"):
        read(cur, tmp_path)


def test_products_follow_what_other_months_showed(tmp_path: Path) -> None:
    tax = bills.sold(1, 0.5, None)
    bills.write(bills.partition(tmp_path), [bills.line(2), tax])
    product = (bills.PAYER, "prodabcexample")
    alone = bills.read(tmp_path)
    assert (alone.total, alone.extract.unexplained) == (Decimal(1), (product,))
    assert alone.notice("products-unexplained").amount == Decimal("0.5")
    known = bills.read(tmp_path, StoreKnowledge(products=frozenset({product})))
    assert (known.total, known.extract.products, known.codes) == (Decimal("1.5"), (product,), [])


def test_a_full_disk_is_not_blamed_on_the_export(cur: Path, tmp_path: Path) -> None:
    (tmp_path / "spend.parquet").symlink_to("/dev/full")
    with pytest.raises(SourceProblem, match=r"2026-10 can't be written.*Check the free space"):
        read(cur, tmp_path)


def test_too_little_memory_is_not_blamed_on_the_export(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=2_000_000)
    monkeypatch.setattr(database, "memory", lambda: 4_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(SourceProblem, match=r"too little memory.*2026-10.*The export is not"):
        read(cur, tmp_path)
    assert [file.name for file in tmp_path.iterdir() if "overflow" in file.name] == []


@pytest.mark.parametrize(("most_per_line", "threads"), [(0.5, 1), (1, 1), (2, 2), (3.9, 3), (9, 4)])
def test_the_more_bedrock_lines_the_fewer_threads(
    cur: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_per_line: float,
    threads: int,
) -> None:
    files = Files("bedrock-cur2", tuple(partition(cur).glob("*.parquet")))
    lines = sum(read(cur, tmp_path)[0]["line_count"].to_pylist())
    monkeypatch.setattr(local, "LINES_AND_THREADS", 0)
    monkeypatch.setattr(local, "LINES_AND_THREADS_BY_KIND", int(most_per_line * lines))
    with duckdb.connect(config={"threads": 4}) as connection:
        table = Table(connection, [files], MONTH)
        keys = sorted_products(table.run(table.fit("products")), StoreKnowledge()).keys
        assert local._plan(table, keys)[1] == threads


@pytest.mark.parametrize("lacking", [(), ("tags", "pricing_unit", "product")], ids=str)
def test_a_large_month_comes_to_the_same_rows(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...]
) -> None:
    rewritten(cur, lambda lines: lines.drop_columns(list(lacking)))
    undated = [bills.line(), {**bills.sold(2, 3.5), "line_item_usage_start_date": None}]
    discount = bills.line(3, -0.1, line_item_line_item_type="EdpDiscount")
    bills.write(partition(cur), [*undated, {**discount, "line_item_net_unblended_cost": None}])
    small, _ = read(cur, tmp_path)
    monkeypatch.setattr(local, "LINES_AND_THREADS", 0)
    large, _ = read(cur, tmp_path)
    assert (large.schema.names, large.schema.types) == (small.schema.names, small.schema.types)
    assert sorted(map(str, large.to_pylist())) == sorted(map(str, small.to_pylist()))


def test_a_month_of_mostly_other_services_is_a_small_one(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = sum(read(cur, tmp_path)[0]["line_count"].to_pylist())
    other = bills.line(line_item_product_code="AmazonEC2")
    bills.write(partition(cur), [other] * 100)
    files = Files("bedrock-cur2", tuple(partition(cur).glob("*.parquet")))
    monkeypatch.setattr(local, "LINES_AND_THREADS", 2 * lines + 100)
    with duckdb.connect(config={"threads": 2}) as connection:
        table = Table(connection, [files], MONTH)
        keys = sorted_products(table.run(table.fit("products")), StoreKnowledge()).keys
        assert local._plan(table, keys) == (table.fit("daily_spend"), 2)


def test_a_large_month_that_changes_while_it_is_read_is_refused(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_a_file_comes(table: Table, *given: Any) -> int:  # noqa: ANN401  (all passed on)
        lines = number_kinds(table, *given)
        (file,) = partition(cur).glob("*.parquet")
        bills.write(file.parent, [bills.line(line_item_usage_type="new")], file.name)
        return lines

    monkeypatch.setattr(local, "LINES_AND_THREADS", 0)
    monkeypatch.setattr(local, "number_kinds", then_a_file_comes)
    with pytest.raises(SourceProblem, match="2026-10 changed while they were read"):
        read(cur, tmp_path)


def test_a_broken_file_is_named_by_a_program_of_its_own(cur: Path, tmp_path: Path) -> None:
    """Nothing but the source is imported: what it needs it must import itself."""
    (partition(cur) / "broken.parquet").write_bytes(b"PAR1")
    program = (
        "import sys; from pathlib import Path; from chargeback.sources.base import StoreKnowledge; "
        "from chargeback.sources.local.files import LocalFiles; "
        f"LocalFiles(Path(sys.argv[1])).extract('{MONTH}', Path(sys.argv[2]), StoreKnowledge())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(cur), str(tmp_path / "spend.parquet")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SourceProblem: Files of billing period 2026-10 can't be read (broken" in done.stderr


def test_a_month_that_is_not_there_is_said(cur: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="no billing period 2020-01"):
        LocalFiles(cur).extract("2020-01", tmp_path / "spend.parquet", StoreKnowledge())


def test_an_empty_folder_holds_no_export(tmp_path: Path) -> None:
    (tmp_path / "data" / f"BILLING_PERIOD={MONTH}").mkdir(parents=True)
    with pytest.raises(SourceProblem, match=r"holds no CUR 2\.0 export"):
        LocalFiles(tmp_path).periods()


def test_a_missing_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="can't be read: No such file"):
        LocalFiles(tmp_path / "nowhere").periods()
