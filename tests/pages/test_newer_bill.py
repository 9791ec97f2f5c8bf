"""A newer bill that arrives while people look: read once, by nobody who looks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import streamlit as st
from filelock import FileLock
from pyarrow import parquet
from streamlit.testing.v1 import AppTest

from chargeback.sources.base import Extract
from chargeback.sources.local.files import LocalFiles
from chargeback.ui import page_context, reading
from chargeback.ui.markdown import plain
from tests.bills import write_manifest_again
from tests.pages.conftest import APP, RUN_SECONDS, Bill, OpenPage

MONTH = "2026-11"


@pytest.fixture
def own(bill: Bill, open_page: OpenPage, tmp_path: Path) -> Bill:
    """A copy of the bill that was read; since then a delivery came: its newest month twice over."""
    own = Bill(shutil.copytree(bill.cur, tmp_path / "cur"), tmp_path / "store")
    open_page("overview", bill=own)
    (file,) = own.cur.glob(f"*/data/BILLING_PERIOD={MONTH}/*.parquet")
    lines = parquet.read_table(file, partitioning=None)
    parquet.write_table(pa.concat_tables([lines, lines]), file)
    write_manifest_again(own.cur)
    st.cache_resource.clear()  # as on a server that has just been started
    return own


def somebody(**parameters: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=RUN_SECONDS)
    app.query_params.update(parameters)
    return app.run()


def said(app: AppTest) -> list[str]:
    assert not app.exception
    return [each.value for each in app.caption if each.value.startswith(reading.READING)]


def spend(app: AppTest) -> str:
    return str(app.metric[0].value)


def test_all_keep_the_figures_until_one_thread_has_read_the_newer_bill(
    own: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    extract = LocalFiles.extract

    def counted(self: LocalFiles, month: str, *rest: object) -> Extract:
        read.append(month)
        return extract(self, month, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalFiles, "extract", counted)
    with FileLock(own.store / f".{MONTH}.lock"):  # another process holds the reading up
        apps = [somebody(month=MONTH), somebody(month=MONTH, team="search"), somebody()]
        before = [spend(app) for app in apps]
        for app in apps:
            assert said(app.run()) == [plain(f"{reading.READING}: November 2026, 1 of 3.")]
        assert [spend(app) for app in apps] == before
    assert page_context.live_bill().wait(RUN_SECONDS)
    for app, spent in zip(apps, before, strict=True):
        assert not said(app.run())
        assert spend(app) != spent
        assert app.query_params["month"] in (MONTH, [MONTH])
    assert apps[1].query_params["team"] in ("search", ["search"])
    assert read == [MONTH, "2026-10", "2026-09"]


def test_a_month_that_is_being_read_is_not_closed(own: Bill) -> None:
    with FileLock(own.store / f".{MONTH}.lock"):
        somebody()
        live = page_context.live_bill()
        shown = live.figures()[0].answers
        assert not live.is_newest(shown)
    assert live.wait(RUN_SECONDS)
    assert not live.is_newest(shown)
    assert live.is_newest(live.figures()[0].answers)
