"""A newer bill that arrives while two people look, in their browsers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
from filelock import FileLock
from playwright.sync_api import Locator, Page, expect
from pyarrow import parquet

from tests.bills import write_manifest_again
from tests.e2e.conftest import Open, Served, serving

MONTH = "2026-11"


def test_open_pages_show_the_newer_bill_by_themselves_once_it_is_read(
    open_page: Open, served: Served, tmp_path: Path
) -> None:
    cur = shutil.copytree(served.environment["CHARGEBACK_CUR"], tmp_path / "cur")
    store = tmp_path / "store"
    environment = served.environment | {"CHARGEBACK_CUR": str(cur), "CHARGEBACK_STORE": str(store)}
    Served("", environment).command("refresh")
    double(cur)
    with serving(environment) as running:
        with FileLock(store / f".{MONTH}.lock"):  # another process holds the reading up
            paths = (f"/?month={MONTH}", f"/models?month={MONTH}&team=search")
            pages = [open_page(path, at=running.address) for path in paths]
            before = [shown(page).inner_text() for page in pages]
            for page in pages:
                expect(page.get_by_text("A newer bill is being read: November")).to_be_visible()
        for page, path, figures in zip(pages, paths, before, strict=True):
            expect(shown(page)).not_to_have_text(figures)
            expect(page.get_by_text("A newer bill")).to_have_count(0)
            assert page.url == running.address + path


def double(cur: Path) -> None:
    """A delivery of the newest month, twice as large."""
    (file,) = cur.glob(f"*/data/BILLING_PERIOD={MONTH}/*.parquet")
    lines = parquet.read_table(file, partitioning=None)
    parquet.write_table(pa.concat_tables([lines, lines]), file)
    write_manifest_again(cur)


def shown(page: Page) -> Locator:
    """The first figure of a page."""
    return page.get_by_test_id("stMetricValue").first
