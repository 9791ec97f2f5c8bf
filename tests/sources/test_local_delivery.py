"""Which files on disk are the bill, and how a month that is damaged is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.errors import SourceProblem
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.local.files import LocalFiles

from .bills import MONTH, address, dated, line, partition, read, write, write_manifest

OLD, NEW = "2026-11-01T01:02:03.000Z-aaa", "2026-11-02T01:02:03.000Z-bbb"


def months(cur: Path) -> list[str]:
    return [period.billing_period for period in LocalFiles(cur).periods()]


def version(cur: Path) -> str:
    return {each.billing_period: each.version for each in LocalFiles(cur).periods()}[MONTH]


def refusal(cur: Path) -> str:
    with pytest.raises(SourceProblem) as refused:
        read(cur)
    assert str(cur) not in str(refused.value)
    return str(refused.value)


ENTRIES: dict[str, Callable[[Path], object]] = {
    "address": address,
    "key": lambda file: address(file).removeprefix("s3://bucket/"),
    "from data on": lambda file: address(file).split("/bill/")[1],
    "name": lambda file: file.name,
    "object with a key": lambda file: {"key": address(file).removeprefix("s3://bucket/")},
    "object with an address": lambda file: {"s3Uri": address(file), "size": 1},
    "percent-encoded": lambda file: address(file).replace("+", "%2B"),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_manifest_names_the_files_that_count(
    tmp_path: Path, entry: Callable[[Path], object]
) -> None:
    named = [
        write(partition(tmp_path), [line(1, 2.0)], "a+1.parquet"),
        write(partition(tmp_path), [line(2)], "b.parquet"),
    ]
    write(partition(tmp_path), [line(3, 4.0)], "stale.parquet")
    write_manifest(tmp_path, [entry(file) for file in named])
    found = read(tmp_path)
    assert found.total == Decimal(3)
    assert found.notice("files-unread").about["files"] == "stale.parquet"


def test_the_legacy_reports_manifest_is_read_too(tmp_path: Path) -> None:
    named = write(partition(tmp_path), [line()])
    write(partition(tmp_path), [line(2)], "stale.parquet")
    manifest = write_manifest(tmp_path, [])
    manifest.write_text(json.dumps({"reportKeys": [address(named)]}))
    assert read(tmp_path).total == Decimal(1)


def test_a_data_folder_above_the_export_confuses_nothing(tmp_path: Path) -> None:
    named = write(partition(tmp_path), [line()])
    write_manifest(tmp_path, [address(named).replace("prefix", "data/BILLING_PERIOD=x")])
    assert read(tmp_path).total == Decimal(1)


@pytest.mark.parametrize("missing", [1, 3])
def test_a_file_that_a_manifest_names_and_is_not_there_is_waited_for(
    tmp_path: Path, missing: int
) -> None:
    file = write(partition(tmp_path), [line()])
    gone = [address(file.with_name(f"gone-{n}.parquet")) for n in range(missing)]
    write_manifest(tmp_path, [address(file), *gone])
    assert months(tmp_path) == [MONTH]
    said = refusal(tmp_path)
    assert "being written: gone-0.parquet is named by its manifest and is not there" in said
    assert (f"and {missing - 1} more" in said) == (missing > 1)
    assert "times kept" in said


@pytest.mark.parametrize("newer", [0, 1])
def test_a_file_newer_than_the_manifest_that_names_it_is_a_delivery_being_written(
    tmp_path: Path, newer: int
) -> None:
    file = write(partition(tmp_path), [line()])
    manifest = write_manifest(tmp_path, [address(file)])
    dated(5, manifest)
    dated(5 + newer, file)
    if newer:
        assert "a.parquet is newer than the manifest" in refusal(tmp_path)
    else:
        assert read(tmp_path).total == Decimal(1)


def test_a_stale_file_may_be_newer_than_the_manifest(tmp_path: Path) -> None:
    file = write(partition(tmp_path), [line()])
    manifest = write_manifest(tmp_path, [address(file)])
    dated(0, file, manifest)
    write(partition(tmp_path), [line(2)], "other.parquet")
    assert read(tmp_path).total == Decimal(1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "it is no JSON"),
        (b"", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it names no data files"),
        (b'{"dataFiles": []}', "it names no data files"),
        (b'{"dataFiles": "a.parquet"}', "it names no data files"),
        (b'{"dataFiles": [7]}', "it names no data files"),
        (b'{"dataFiles": [{"size": 7}]}', "it names no data files"),
    ],
)
def test_a_manifest_that_says_nothing_refuses_its_month_alone(
    tmp_path: Path, content: bytes, why: str
) -> None:
    write(partition(tmp_path), [line()])
    write(partition(tmp_path, month="2026-09"), [line()])
    write_manifest(tmp_path, []).write_bytes(content)
    assert months(tmp_path) == [MONTH, "2026-09"]
    assert f"(bill-Manifest.json: {why})" in refusal(tmp_path)
    LocalFiles(tmp_path).extract("2026-09", tmp_path / "out", StoreKnowledge())


def test_of_kept_deliveries_the_newest_manifest_counts(tmp_path: Path) -> None:
    for number, delivery in enumerate((OLD, NEW)):
        file = write(partition(tmp_path) / delivery, [line(1, 1.0 + number)])
        write_manifest(tmp_path, [address(file)], delivery)
    found = read(tmp_path)
    assert (found.total, found.codes) == (Decimal(2), [])


def test_a_delivery_that_its_manifest_does_not_yet_name_is_waited_for(tmp_path: Path) -> None:
    file = write(partition(tmp_path) / OLD, [line()])
    write_manifest(tmp_path, [address(file)], OLD)
    write(partition(tmp_path) / NEW, [line(1, 2.0)])
    assert read(tmp_path).total == Decimal(1)


@pytest.mark.parametrize(("newer", "total"), [("top", 1), ("folder", 2), ("neither", 2)])
def test_manifests_at_two_levels_are_told_by_their_times(
    tmp_path: Path, newer: str, total: int
) -> None:
    top = write(partition(tmp_path), [line()])
    below = write(partition(tmp_path) / NEW, [line(1, 2.0)])
    manifests = {
        "top": write_manifest(tmp_path, [address(top)]),
        "folder": write_manifest(tmp_path, [address(below)], NEW),
    }
    dated(0, top, below, *manifests.values())
    dated(9, *[manifest for level, manifest in manifests.items() if level == newer])
    assert read(tmp_path).total == Decimal(total)


@pytest.mark.parametrize(("newer", "total"), [("top", 1), ("folder", 2), ("neither", 2)])
def test_without_a_manifest_the_newest_files_count(tmp_path: Path, newer: str, total: int) -> None:
    files = {
        "top": write(partition(tmp_path), [line()]),
        "folder": write(partition(tmp_path) / NEW, [line(1, 2.0)], "b.parquet"),
    }
    write(partition(tmp_path) / OLD, [line(1, 4.0)])
    dated(0, *files.values())
    dated(9, *[file for level, file in files.items() if level == newer])
    found = read(tmp_path)
    assert found.total == Decimal(total)
    assert found.codes == ([] if newer == "top" else ["files-unread"])
    if found.codes:
        assert found.notice("files-unread").about["files"] == "a.parquet"


@pytest.mark.parametrize("name", ["A.PARQUET", "glob [*]?.Parquet", "bill-1.snappy.parquet"])
def test_names_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    write(partition(tmp_path), [line()], name)
    assert read(tmp_path).total == Decimal(1)


def test_what_is_no_regular_file_is_passed_over(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    os.mkfifo(partition(tmp_path) / "pipe.parquet")
    (partition(tmp_path) / "folder.parquet").mkdir()
    found = read(tmp_path)
    assert found.total == Decimal(1)
    assert found.notice("files-unread").about["files"] == "folder.parquet, pipe.parquet"


def test_a_pipe_that_a_manifest_names_is_not_there(tmp_path: Path) -> None:
    pipe = partition(tmp_path) / "pipe.parquet"
    os.mkfifo(pipe)
    write_manifest(tmp_path, [address(pipe)])
    assert "pipe.parquet is named by its manifest and is not there" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv", "A.CSV.GZ"])
@pytest.mark.parametrize("delivery", ["", NEW])
@pytest.mark.parametrize("with_manifest", [False, True])
def test_a_month_that_is_there_as_csv_only_is_said(
    tmp_path: Path, name: str, delivery: str, *, with_manifest: bool
) -> None:
    write(partition(tmp_path, month="2026-09"), [line()])
    file = partition(tmp_path) / delivery / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"")
    if with_manifest:
        write_manifest(tmp_path, [address(file)], delivery)
    source = LocalFiles(tmp_path)
    assert [period.billing_period for period in source.periods()] == ["2026-09"]
    (notice,) = source.notices()
    assert (notice.code, notice.about["period"]) == ("delivery-not-parquet", MONTH)


def test_csv_beside_parquet_is_not_read(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    (partition(tmp_path) / "a.csv.gz").write_bytes(b"")
    (partition(tmp_path) / "_SUCCESS").write_bytes(b"")
    found = read(tmp_path)
    assert found.total == Decimal(1)
    assert found.notice("files-unread").about["files"] == "a.csv.gz"


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-99", "0000-01", "x", "", "\uff12026-10"]
)
def test_a_folder_that_is_no_month_is_named(tmp_path: Path, month: str) -> None:
    write(partition(tmp_path), [line()])
    write(partition(tmp_path, month=month), [line()])
    source = LocalFiles(tmp_path)
    assert [period.billing_period for period in source.periods()] == [MONTH]
    (notice,) = source.notices()
    assert notice.code == "period-is-no-month"
    assert notice.about["folder"] == f"BILLING_PERIOD={month}"


def test_notices_are_those_of_the_last_look(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    odd = partition(tmp_path, month="2026-13")
    source = LocalFiles(tmp_path)
    assert source.notices() == ()
    source.periods()
    assert len(source.notices()) == 1
    odd.rmdir()
    source.periods()
    assert source.notices() == ()


def test_a_link_that_leads_nowhere_refuses_its_month_alone(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    write(partition(tmp_path, month="2026-09"), [line()])
    before = version(tmp_path)
    (partition(tmp_path) / "x.parquet").symlink_to(tmp_path / "nowhere")
    assert months(tmp_path) == [MONTH, "2026-09"]
    assert version(tmp_path) != before
    assert "(x.parquet: No such file or directory)" in refusal(tmp_path)


def test_a_month_that_is_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    write(partition(tmp_path, month="2026-09"), [line()])
    partition(tmp_path).rmdir()
    (tmp_path / "bill" / "data" / f"BILLING_PERIOD={MONTH}").symlink_to(tmp_path / "nowhere")
    assert months(tmp_path) == [MONTH, "2026-09"]
    assert f"BILLING_PERIOD={MONTH}: No such file" in refusal(tmp_path)


def test_links_to_files_and_months_are_read_and_loops_end(tmp_path: Path) -> None:
    real = write(tmp_path / "elsewhere", [line()])
    folder = partition(tmp_path)
    (folder / "b.parquet").symlink_to(real)
    folder.rename(tmp_path / "real month")
    folder.symlink_to(tmp_path / "real month")
    (tmp_path / "bill" / "loop").symlink_to(tmp_path)
    (tmp_path / "bill" / "itself").symlink_to(tmp_path / "bill" / "itself")
    assert read(tmp_path).total == Decimal(1)


AS_NOBODY = """
import os, sys
from pathlib import Path
from chargeback.errors import SourceProblem
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.local.files import LocalFiles
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
source = LocalFiles(Path("."))
try:
    print([period.billing_period for period in source.periods()], len(source.notices()))
    source.extract("2026-10", Path("out"), StoreKnowledge())
except SourceProblem as problem:
    print(problem)
"""


def read_as_nobody(cur: Path) -> list[str]:
    """What a user is told who is not root: root may look into everything."""
    cur.chmod(0o755)  # the way there need not be open: the program starts inside
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(cur)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["data", "metadata"])
def test_a_month_that_may_not_be_looked_into_hides_no_other(tmp_path: Path, kind: str) -> None:
    write(partition(tmp_path), [line()])
    write(partition(tmp_path, month="2026-09"), [line()])
    closed = partition(tmp_path, kind=kind)
    closed.chmod(0)
    try:
        listed, said = read_as_nobody(tmp_path)
    finally:
        closed.chmod(0o755)
    assert listed == f"['{MONTH}', '2026-09'] 0"
    assert f"BILLING_PERIOD={MONTH}: Permission denied" in said


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    file = write(partition(tmp_path), [line()])
    file.chmod(0)
    listed, said = read_as_nobody(tmp_path)
    assert listed == f"['{MONTH}'] 0"
    assert "(a.parquet: Permission denied)" in said


def test_data_that_may_not_be_looked_into_are_not_called_absent(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    write(partition(tmp_path, "open"), [line()])
    closed = tmp_path / "bill" / "data"
    closed.chmod(0)
    try:
        (said,) = read_as_nobody(tmp_path)
    finally:
        closed.chmod(0o755)
    assert said.startswith("The CUR folder can't be read: Permission denied.")


def test_a_closed_folder_that_is_nobodys_is_passed_over_with_a_word(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    closed = tmp_path / "lost+found"
    closed.mkdir(mode=0)
    try:
        listed, *_ = read_as_nobody(tmp_path)
    finally:
        closed.chmod(0o755)
    assert listed == f"['{MONTH}'] 1"


def test_an_export_of_which_nothing_else_is_there_is_not_called_absent(tmp_path: Path) -> None:
    closed = tmp_path / "bill"
    closed.mkdir(mode=0)
    try:
        (said,) = read_as_nobody(tmp_path)
    finally:
        closed.chmod(0o755)
    assert said.startswith("The CUR folder can't be read: Permission denied.")


@pytest.mark.parametrize("change", ["touch", "add", "manifest", "remove"])
def test_whatever_decides_what_is_read_changes_the_version(tmp_path: Path, change: str) -> None:
    files = [write(partition(tmp_path), [line(n)], f"{n}.parquet") for n in (1, 2)]
    before = version(tmp_path)
    assert version(tmp_path) == before
    if change == "touch":
        dated(0, files[0])
    elif change == "add":
        write(partition(tmp_path), [line()], "3.parquet")
    elif change == "manifest":
        write_manifest(tmp_path, [address(file) for file in files])
    else:
        files[0].unlink()
    assert version(tmp_path) != before


def test_the_files_are_dated_in_utc(tmp_path: Path) -> None:
    file = write(partition(tmp_path), [line()])
    os.utime(file, (86_400.9, 86_400.9))
    (period,) = LocalFiles(tmp_path).periods()
    assert period.data_as_of.isoformat() == "1970-01-02T00:00:00+00:00"


def test_a_folder_without_an_export_says_what_is_there_instead(tmp_path: Path) -> None:
    (partition(tmp_path) / "a.csv.gz").write_bytes(b"")
    with pytest.raises(SourceProblem, match=r"holds no CUR 2\.0 export.*only as CSV"):
        LocalFiles(tmp_path).periods()


def test_a_month_that_goes_while_it_is_looked_for_is_said_to_be_gone(tmp_path: Path) -> None:
    write(partition(tmp_path), [line()])
    source = LocalFiles(tmp_path)
    assert len(source.periods()) == 1
    shutil.rmtree(partition(tmp_path))
    with pytest.raises(SourceProblem, match=f"no billing period {MONTH}"):
        read(source)
