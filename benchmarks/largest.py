"""The largest bills: 50 million lines in one month, and three years of 20,000 principals.

    python -m benchmarks --only largest

Nothing stands beside the first: bare DuckDB would hold twice as much as it may. The pages are asked
as in `pages`, beside an empty Streamlit page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import stores
from benchmarks.browser import ROOT, Tab, serving
from benchmarks.measure import Row, measured
from benchmarks.pages import PAGES, click_through
from benchmarks.reading import bill, by_refresh
from chargeback.workspace import Workspace

MILLIONS, MOST_GIB = 50, 6
CLICKS, MOST_MS = 10, 300


def rows(folder: Path) -> Iterator[Row]:
    """Reading the one, and each page of the other."""
    yield _read(folder)
    measured(stores.write_three_years, folder)
    kept = measured(_prepare, folder)
    yield Row(
        what="36 months, 20,000 principals, 2,000 tenants: what comes before the first page",
        took=f"{kept.seconds:.0f} s, {kept.peak_gib:.1f} GiB",
        baseline="",
        ratio=None,
        aim=f"within {MOST_GIB} GiB",
        is_met=kept.peak_gib < MOST_GIB,
    )
    empty_page = folder / "empty.py"
    empty_page.write_text("import streamlit\n", "utf-8")
    with serving(empty_page, {}) as place, closing(Tab(place, "")) as empty:
        for page in PAGES:
            yield _visited(page, kept.answer, empty)


def _read(folder: Path) -> Row:
    cur = measured(bill, folder, MILLIONS).answer
    with TemporaryDirectory(dir=folder) as out:
        run = measured(by_refresh, cur, Path(out) / "store")
    return Row(
        what=f"{MILLIONS} million lines of one month into the store",
        took=f"{run.seconds:.0f} s, {run.peak_gib:.1f} GiB",
        baseline="",
        ratio=None,
        aim=f"within {MOST_GIB} GiB",
        is_met=run.peak_gib < MOST_GIB,
    )


def _prepare(folder: Path) -> Workspace:
    """Reads the bill, and works out what it means."""
    workspace = stores.three_years(folder)
    workspace.answers()
    return Workspace(workspace.settings)


def _visited(page: str, workspace: Workspace, empty: Tab) -> Row:
    settings = {
        "CHARGEBACK_CUR": str(workspace.settings.cur),
        "CHARGEBACK_STORE": str(workspace.settings.store_folder),
    }
    with serving(ROOT / "app.py", settings) as place:
        first, *times = click_through(page, place, empty, CLICKS)
    ours, nothing = median(times[::2]) * 1000, median(times[1::2]) * 1000
    return Row(
        what=f"36 months, 20,000 principals, /{page}; first view {first:.1f} s",
        took=f"{ours:.0f} ms",
        baseline=f"empty page {nothing:.0f} ms",
        ratio=ours / nothing,
        aim=f"under {MOST_MS} ms",
        is_met=ours < MOST_MS,
    )
