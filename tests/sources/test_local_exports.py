"""Files that are there twice, and several exports of one payer."""

from __future__ import annotations

import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pytest

from chargeback.errors import SourceProblem
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.bill_settings import BillSettings
from chargeback.sources.local import exports as local_exports
from chargeback.sources.local.files import LocalFiles
from tests.bills import NONE_FOLDED

from .bills import MONTH, OTHER_PAYER, PAYER, line, partition, read, schema, sold, write

EARLIER = StoreKnowledge(exports=("hourly",))
ROWS = [line(1), line(2, 2.0)]
BY_DAY = [{**row, "identity_line_item_id": f"day-{n}"} for n, row in enumerate(ROWS)]
PLAIN = schema(["line_item_iam_principal"])


def hourly_and_daily(cur: Path, **daily: pa.Schema) -> None:
    """One bill twice: 3.00, in other lines."""
    write(partition(cur, "hourly"), ROWS)
    write(partition(cur, "daily"), BY_DAY, **daily)


def test_a_copy_of_a_file_counts_once(tmp_path: Path) -> None:
    file = write(partition(tmp_path), ROWS)
    shutil.copy(file, file.with_name("a (copy).parquet"))
    write(partition(tmp_path), [line(3, 4.0)], "b.parquet")
    found = read(tmp_path)
    assert found.total == Decimal(7)
    assert found.notice("files-repeated").about["files"] == "a (copy).parquet"


def test_the_same_lines_in_other_bytes_are_other_lines(tmp_path: Path) -> None:
    """Identities are unique only within a partition: they never make lines equal."""
    write(partition(tmp_path), [line(1)])
    write(partition(tmp_path), [line(1), line(1)], "b.parquet")
    found = read(tmp_path)
    assert (found.total, found.codes) == (Decimal(3), [])


def test_a_copy_in_another_export_counts_once(tmp_path: Path) -> None:
    file = write(partition(tmp_path, "one"), ROWS)
    shutil.copy(file, partition(tmp_path, "two") / "other name.parquet")
    found = read(tmp_path)
    assert found.total == Decimal(3)
    assert found.notice("files-repeated").about["files"] == "two/other name.parquet"
    assert found.extract.exports == ("one",)


def test_of_equal_exports_the_chosen_one_is_read(tmp_path: Path) -> None:
    file = write(partition(tmp_path, "one"), ROWS)
    shutil.copy(file, partition(tmp_path, "two"))
    assert read(LocalFiles(tmp_path, BillSettings(export="two"))).extract.exports == ("two",)
    assert read(tmp_path, StoreKnowledge(exports=("two",))).extract.exports == ("two",)


@pytest.mark.parametrize("differ", ["size", "end", "middle"])
def test_no_more_of_a_file_is_read_than_tells_it_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differ: str
) -> None:
    end = b"described" + (9).to_bytes(4, "little") + b"PAR1"
    ends = {"end": b"otherwise" + end[9:]}
    one, two = tmp_path / "1.parquet", tmp_path / "2.parquet"
    one.write_bytes(b"data" * 9 + end)
    two.write_bytes((b"atad" if differ == "middle" else b"data") * 9 + ends.get(differ, end))
    if differ == "size":
        two.write_bytes(one.read_bytes() * 2)
    digest = Mock(wraps=local_exports._digest)
    monkeypatch.setattr(local_exports, "_digest", digest)
    assert list(local_exports._repeated([one, two])) == []
    read_whole = [call.args[0] for call in digest.call_args_list]
    assert read_whole == ([one, two] if differ == "middle" else [])


def test_exports_of_different_payers_are_one_bill(tmp_path: Path) -> None:
    write(partition(tmp_path, "a"), [line(1)])
    write(partition(tmp_path, "b"), [line(2, 4.0, bill_payer_account_id=OTHER_PAYER)])
    found = read(tmp_path)
    assert (found.total, found.codes) == (Decimal(5), [])
    assert found.extract.exports == ("a", "b")


def test_two_exports_of_one_payer_are_refused_and_both_named(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path)
    with pytest.raises(SourceProblem) as refused:
        read(tmp_path)
    said = str(refused.value)
    assert all(word in said for word in (PAYER, MONTH, "daily, hourly", 'export = "', "[bill]"))


@pytest.mark.parametrize(
    ("bill", "known", "taken"),
    [
        (BillSettings(export="daily"), StoreKnowledge(), "daily"),
        (BillSettings(export="hourly"), StoreKnowledge(), "hourly"),
        (BillSettings(export="daily"), EARLIER, "daily"),
        (BillSettings(), EARLIER, "hourly"),
        (BillSettings(), StoreKnowledge(exports=("hourly", "gone")), "hourly"),
    ],
)
def test_of_two_exports_the_named_or_the_last_one_counts(
    tmp_path: Path, bill: BillSettings, known: StoreKnowledge, taken: str
) -> None:
    hourly_and_daily(tmp_path)
    found = read(LocalFiles(tmp_path, bill), known)
    assert (found.total, found.extract.exports) == (Decimal(3), (taken,))
    notice = found.notice("export-left-out")
    assert notice.about["taken"] == taken
    assert {notice.about["export"], taken} == {"hourly", "daily"}
    assert (notice.lines, notice.amount, notice.currency) == (2, Decimal(3), "USD")
    assert notice.about["payer"] == PAYER


@pytest.mark.parametrize("lacking", ["line_item_iam_principal", "tags"])
def test_of_two_exports_the_one_that_says_who_called_counts(tmp_path: Path, lacking: str) -> None:
    hourly_and_daily(tmp_path, columns=schema([lacking]))
    found = read(tmp_path)
    assert (found.total, found.extract.exports) == (Decimal(3), ("hourly",))
    assert found.codes == ["export-left-out"]


def test_what_was_taken_last_wins_over_what_says_more(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path, columns=PLAIN)
    found = read(tmp_path, StoreKnowledge(exports=("daily",)))
    assert found.extract.exports == ("daily",)


def test_an_unknown_export_in_the_settings_is_said(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path, columns=PLAIN)
    with pytest.raises(SourceProblem, match=r"no export weekly.*daily, hourly"):
        read(LocalFiles(tmp_path, BillSettings(export="weekly")))


def test_an_unknown_export_in_the_settings_harms_no_single_export(tmp_path: Path) -> None:
    write(partition(tmp_path), ROWS)
    assert read(LocalFiles(tmp_path, BillSettings(export="weekly"))).total == Decimal(3)


@pytest.mark.parametrize("taken", ["a", "b"])
def test_lines_of_another_payer_still_count(tmp_path: Path, taken: str) -> None:
    other = line(3, 4.0, bill_payer_account_id=OTHER_PAYER)
    write(partition(tmp_path, "a"), [*ROWS, other])
    write(partition(tmp_path, "b"), BY_DAY)
    found = read(LocalFiles(tmp_path, BillSettings(export=taken)))
    assert found.total == Decimal(7)
    assert set(found.extract.exports) == ({"a"} if taken == "a" else {"a", "b"})
    assert found.notice("export-left-out").amount == Decimal(3)


def test_a_file_that_two_exports_share_is_not_missing_from_the_one_that_counts(
    tmp_path: Path,
) -> None:
    shared = write(partition(tmp_path, "a"), [line(1)], columns=PLAIN)
    write(partition(tmp_path, "a"), [line(2, 2.0)], "rest.parquet")
    shutil.copy(shared, partition(tmp_path, "b"))
    write(partition(tmp_path, "b"), [line(2, 2.0), line(3, 4.0)], "rest.parquet")
    assert read(LocalFiles(tmp_path, BillSettings(export="b"))).total == Decimal(7)
    assert read(LocalFiles(tmp_path, BillSettings(export="a"))).total == Decimal(3)


def test_left_out_is_told_in_each_currency_with_what_is_bedrock_only(tmp_path: Path) -> None:
    write(partition(tmp_path, "kept"), ROWS)
    lines = [
        line(1, 5.0, line_item_currency_code="EUR"),
        sold(2, 7.0),
        sold(3, 1.0, None),
        line(4, 9.0, line_item_product_code="AmazonEC2"),
    ]
    write(partition(tmp_path, "other"), lines)
    found = read(LocalFiles(tmp_path, BillSettings(export="kept")))
    told = {n.currency: (n.lines, n.amount) for n in found.extract.notices}
    assert told == {"EUR": (1, Decimal(5)), "USD": (2, Decimal(8))}


def test_an_export_that_names_no_payer_may_be_the_bill_of_any(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path, columns=schema(["bill_payer_account_id"]))
    with pytest.raises(SourceProblem, match=r"daily, hourly"):
        read(LocalFiles(tmp_path, BillSettings(export="weekly")))
    for taken in ("hourly", "daily"):
        found = read(LocalFiles(tmp_path, BillSettings(export=taken)))
        assert (found.total, found.extract.exports) == (Decimal(3), (taken,))
        assert found.notice("export-left-out").amount == Decimal(3)


def test_single_lines_without_a_payer_go_with_their_export(tmp_path: Path) -> None:
    write(partition(tmp_path, "a"), [line(1), line(2, 2.0, bill_payer_account_id=None)])
    write(
        partition(tmp_path, "b"),
        [
            line(1, 4.0, bill_payer_account_id=OTHER_PAYER),
            line(2, 8.0, bill_payer_account_id=None),
        ],
    )
    found = read(tmp_path)
    assert (found.total, found.codes) == (Decimal(15), [])


def test_exports_that_are_called_the_same_are_told_apart(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    (tmp_path / "hourly").rename(tmp_path / "x" / "bill")
    (tmp_path / "daily").rename(tmp_path / "y" / "bill")
    assert read(LocalFiles(tmp_path, BillSettings(export="x/bill"))).extract.exports == ("x/bill",)


def test_the_setting_changes_the_version(tmp_path: Path) -> None:
    hourly_and_daily(tmp_path)
    versions = {
        LocalFiles(tmp_path, BillSettings(export=export)).periods()[0].version
        for export in (None, "hourly", "daily")
    }
    assert len(versions) == 3


def test_single_lines_are_those_of_the_export_that_was_read(tmp_path: Path) -> None:
    write(partition(tmp_path, "hourly"), ROWS)
    write(partition(tmp_path, "daily"), [line(7, 3.0)])
    parameters = {
        "billing_period": MONTH,
        "products": [],
        "identities": [
            '111122223333|arn:aws:iam::111122223333:user/alice|{"iamPrincipal/team":"eng"}|{}|{}'
        ],
        "meters": ["AmazonBedrock|USE1-Claude4.6Sonnet-input-tokens||Usage||USD"],
        **NONE_FOLDED,
        "usage_date": datetime(2026, 10, 5).date(),
        "page_size": 10,
        "page_start": 0,
    }
    source = LocalFiles(tmp_path)
    read(source, StoreKnowledge(exports=("daily",)))
    asked: tuple[tuple[LocalFiles, dict[str, Any], int], ...] = (
        (source, {}, 1),
        (LocalFiles(tmp_path), {"exports": ("hourly",)}, 2),
        (LocalFiles(tmp_path, BillSettings(export="daily")), {}, 1),
    )
    for files, more, count in asked:
        found = files.lines({**parameters, **more})
        assert found["unblended_cost"].to_pylist() in ([Decimal(3)], [Decimal(2), Decimal(1)])
        assert len(found) == count
