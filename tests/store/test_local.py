"""The spend store: read once, replaced whole, by one at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date
from multiprocessing import SimpleQueue, get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Event

import pytest
from pyarrow import parquet

from chargeback.attribution.rules import AttributionRules
from chargeback.demo import write_demo
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.rules import Rules
from chargeback.errors import SourceProblem, UsageProblem
from chargeback.sources.base import Extract, StoreKnowledge
from chargeback.sources.local.files import LocalFiles
from chargeback.store.base import Refresh
from chargeback.store.local import LocalStore
from tests.bills import write_manifest_again

HOW = Refresh(delivery_comparison(Rules(AttributionRules(), "auto")))
MONTHS = ["2026-11", "2026-10", "2026-09"]
WAIT_SECONDS = 60
"""After which a process whose other never came gives up."""


class Counted(LocalFiles):
    """Local files that remember what was read of them, and can be told to wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[str] = []
        self.during: Callable[[], object] = list

    def extract(
        self, billing_period: str, out: Path, known: StoreKnowledge, stop: Event | None = None
    ) -> Extract:
        self.read.append(billing_period)
        extract = super().extract(billing_period, out, known, stop)
        self.during()
        return extract


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, today=date(2026, 11, 23), months=len(MONTHS), lines=300)
    return folder


@pytest.fixture
def source(demo: Path, tmp_path: Path) -> Counted:
    """A copy of three months, newest first 2026-11, 2026-10 and 2026-09, that a test may change."""
    return Counted(shutil.copytree(demo, tmp_path / "cur"))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def refresh(store: LocalStore, source: Counted) -> list[str]:
    return store.refresh(source, source.periods(), HOW)


def file_of(source: Counted, month: str) -> Path:
    (file,) = source.folder.glob(f"*/data/BILLING_PERIOD={month}/*.parquet")
    return file


def lines_read(store: LocalStore, source: Counted) -> dict[str, int]:
    stored = store.periods(source.source_id)
    return {period.manifest.billing_period: period.manifest.lines_read for period in stored}


def drop_a_bedrock_line(source: Counted, month: str) -> None:
    """A line of Bedrock's fewer than AWS delivered before."""
    table = parquet.read_table(file_of(source, month), partitioning=None)
    codes = table["line_item_product_code"].to_pylist()
    at = codes.index("AmazonBedrock")
    kept = [number for number in range(len(table)) if number != at]
    parquet.write_table(table.take(kept), file_of(source, month))
    write_manifest_again(source.folder, month)


def test_every_period_is_read_once(store: LocalStore, source: Counted) -> None:
    assert refresh(store, source) == source.read == MONTHS
    assert refresh(store, source) == []
    assert source.read == MONTHS


def test_progress_names_each_period_and_how_many_are_done(
    store: LocalStore, source: Counted
) -> None:
    said: list[tuple[str, int, int]] = []
    store.refresh(source, source.periods(), HOW, lambda *told: said.append(told))
    assert said == [(month, done, 3) for done, month in enumerate(MONTHS)]


def test_only_what_changed_is_read_again(store: LocalStore, source: Counted) -> None:
    refresh(store, source)
    before = lines_read(store, source)
    drop_a_bedrock_line(source, "2026-10")
    assert refresh(store, source) == ["2026-10"]
    assert lines_read(store, source) == {**before, "2026-10": before["2026-10"] - 1}


def test_a_broken_file_keeps_the_last_good_data_and_stops_no_other_period(
    store: LocalStore, source: Counted
) -> None:
    refresh(store, source)
    before = lines_read(store, source)
    file_of(source, "2026-11").write_bytes(b"PAR1")
    drop_a_bedrock_line(source, "2026-09")
    with pytest.raises(SourceProblem, match="2026-11"):
        refresh(store, source)
    assert lines_read(store, source) == {**before, "2026-09": before["2026-09"] - 1}


def test_a_reader_keeps_the_version_that_it_opened(store: LocalStore, source: Counted) -> None:
    refresh(store, source)
    (opened, *_) = store.periods(source.source_id)
    whole = parquet.read_table(opened.spend)
    drop_a_bedrock_line(source, "2026-11")
    refresh(store, source)
    (newer, *_) = store.periods(source.source_id)
    assert newer.folder != opened.folder
    assert parquet.read_table(opened.spend) == whole


def test_until_a_version_is_whole_readers_see_the_one_before(
    store: LocalStore, source: Counted
) -> None:
    refresh(store, source)
    before = lines_read(store, source)
    drop_a_bedrock_line(source, "2026-11")
    seen = []
    source.during = lambda: seen.append(lines_read(store, source))
    refresh(store, source)
    assert seen == [before]
    assert lines_read(store, source) != before


def test_a_reading_that_is_broken_off_leaves_nothing_behind(
    store: LocalStore, source: Counted
) -> None:
    def broken_off() -> None:
        raise KeyboardInterrupt

    source.during = broken_off
    with pytest.raises(KeyboardInterrupt):
        refresh(store, source)
    assert lines_read(store, source) == {}
    assert list((store.folder / "versions").iterdir()) == []


def test_processes_that_refresh_at_once_read_each_period_once(
    store: LocalStore, source: Counted
) -> None:
    environment = {
        **os.environ,
        "CHARGEBACK_CUR": str(source.folder),
        "CHARGEBACK_STORE": str(store.folder),
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "chargeback", "refresh"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    read = [month for text in said for month in MONTHS if month in text]
    assert sorted(read) == sorted(MONTHS)
    assert len(list((store.folder / "versions").iterdir())) == len(MONTHS)


class Together(Counted):
    """Local files whose reader, once it has looked into the store, waits for the other reader."""

    def __init__(self, folder: Path, both: Barrier) -> None:
        self.both: Barrier | None = None
        super().__init__(folder)
        self.both = both

    @property
    def source_id(self) -> str:
        """What the store compares with the version that it found."""
        both, self.both = self.both, None
        if both:
            both.wait(WAIT_SECONDS)
        return self._source_id

    @source_id.setter
    def source_id(self, digest: str) -> None:
        self._source_id = digest


def refresh_together(cur: Path, folder: Path, both: Barrier, read: SimpleQueue[list[str]]) -> None:
    source = Together(cur, both)
    LocalStore(folder).refresh(source, source.periods()[:1], HOW)
    read.put(source.read)


def test_of_two_processes_that_both_found_it_out_of_date_one_reads(
    store: LocalStore, source: Counted
) -> None:
    refresh(store, source)
    before = lines_read(store, source)
    drop_a_bedrock_line(source, "2026-11")
    spawn = get_context("spawn")
    both, read = spawn.Barrier(2), spawn.SimpleQueue()
    started = [
        spawn.Process(target=refresh_together, args=(source.folder, store.folder, both, read))
        for _ in range(2)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0]
    assert sorted([read.get(), read.get()]) == [[], ["2026-11"]]
    assert lines_read(store, source) == {**before, "2026-11": before["2026-11"] - 1}


def test_another_bill_in_the_same_store_is_read_anew(
    store: LocalStore, source: Counted, tmp_path: Path
) -> None:
    refresh(store, source)
    other = Counted(shutil.copytree(source.folder, tmp_path / "other"))
    assert refresh(store, other) == MONTHS
    assert store.periods(source.source_id) == []


def test_a_folder_that_cannot_be_written_is_said(source: Counted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UsageProblem, match="can't be written"):
        refresh(LocalStore(tmp_path / "file"), source)


def test_moments_are_read_in_pythons_own_utc(store: LocalStore, source: Counted) -> None:
    refresh(store, source)
    manifest = store.periods(source.source_id)[0].manifest
    # Pydantic's own time zone can crash a program that ends (chargeback.billing_period).
    assert manifest.data_as_of.tzinfo is manifest.extracted_at.tzinfo is UTC
