"""Opening and rerunning each page, against an empty Streamlit page.

    python -m benchmarks.pages

Both are served as `make run` serves them, and asked as a browser asks: the time is from the request
to the last message of the answer, without drawing. Each click shows something not yet seen: first
every month, then months of one tenant. Each page has a new server, which remembers no answers.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks import stores
from benchmarks.browser import ROOT, Tab, serving
from benchmarks.measure import KIB_PER_GIB, Row, arguments, measured, scratch, show
from chargeback.workspace import Workspace

PAGES = ("", "tenants", "teams", "principals", "models", "chargeback")
MONTH, TENANT = "Billing period", "Tenant"
TARGET_MS = 200
OVERVIEW_AIM_MS = 100
CLICKS = 20
BILLS: dict[str, Callable[[Path], Workspace]] = {"demo": stores.demo, "year": stores.year}


def clicks(tab: Tab) -> Iterator[None]:
    """Chooses something else each time: every other month, then months of ever another tenant."""
    newest, *months = tab.options(MONTH)
    tenants = tab.options(TENANT)
    for month in months:
        tab.choose(MONTH, month)
        yield
    for tenant in tenants:
        tab.choose_only(TENANT, tenant)
        for month in (newest, *months[:2]):
            tab.choose(MONTH, month)
            yield


def click_through(page: str, place: str, empty: Tab, count: int) -> list[float]:
    """Seconds of the first view, of each click, and of the empty page's run beside it."""
    with closing(Tab(place, page)) as tab:
        first, _ = tab.run(), empty.run()
        pairs = [(tab.run(), empty.run()) for _ in islice(clicks(tab), count)]
    return [first, *(seconds for pair in pairs for seconds in pair)]


def row(bill: str, page: str, times: list[float]) -> list[str]:
    """A row of the table."""
    first, ours, empty = times[0], times[1::2], times[2::2]
    middle = median(ours)
    return [
        f"{bill}, /{page}",
        f"{first * 1000:.0f}",
        f"{middle * 1000:.0f}",
        f"{max(ours) * 1000:.0f}",
        f"{median(empty) * 1000:.0f}",
        f"{middle / median(empty):.0f}",
        "yes" if middle * 1000 > TARGET_MS else "",
    ]


def visit(bill: str, workspace: Workspace, empty: Tab, count: int) -> list[list[str]]:
    """Opens each page on a new server and clicks on it; a row of the table for each."""
    found = []
    for page in PAGES:
        with serving(ROOT / "app.py", _settings(workspace)) as place:
            found.append(row(bill, page, click_through(page, place, empty, count)))
    return found


def rows(folder: Path) -> Iterator[Row]:
    """The lines of the table about Overview on the year: what was not seen yet, and what was."""
    workspace = measured(prepare, "year", folder).answer
    with _empty_page(folder) as empty, serving(ROOT / "app.py", _settings(workspace)) as place:
        times = click_through("", place, empty, CLICKS)
        yield _overview_row("each click shows what nobody saw yet", times[1::2], times[2::2])
        with closing(Tab(place, "")) as tab:
            tab.run()
            pairs = [(tab.run(), empty.run()) for _ in range(CLICKS)]
        ours, beside = zip(*pairs, strict=True)
        yield _overview_row("shown again", ours, beside)


def _overview_row(what: str, ours: Sequence[float], empty: Sequence[float]) -> Row:
    took, beside = median(ours) * 1000, median(empty) * 1000
    return Row(
        f"Overview, year, rerun on the server: {what}",
        f"{took:.0f} ms",
        f"an empty Streamlit page {beside:.0f} ms",
        took / beside,
        f"under {OVERVIEW_AIM_MS} ms",
        took < OVERVIEW_AIM_MS,
    )


def _settings(workspace: Workspace) -> dict[str, str]:
    return {
        "CHARGEBACK_CUR": str(workspace.settings.cur),
        "CHARGEBACK_STORE": str(workspace.settings.store_folder),
    }


@contextmanager
def _empty_page(folder: Path) -> Iterator[Tab]:
    script = folder / "empty.py"
    script.write_text("import streamlit\n", "utf-8")
    with serving(script, {}) as place, closing(Tab(place, "")) as empty:
        yield empty


def main() -> None:
    """Prints one table."""
    parser = arguments(__doc__)
    parser.add_argument("--bills", nargs="+", choices=BILLS, default=list(BILLS))
    parser.add_argument("--clicks", type=int, default=CLICKS)
    asked = parser.parse_args()
    found = []
    with scratch(asked.folder) as folder, _empty_page(folder) as empty:
        for bill in asked.bills:
            workspace = measured(prepare, bill, folder).answer
            found += visit(bill, workspace, empty, asked.clicks)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KIB_PER_GIB
    headings = ["page", "first ms", "median ms", "slowest ms", "empty ms", "ratio", "over 200 ms"]
    show(f"Pages, {asked.clicks} clicks each; at most {peak:.1f} GiB a process", headings, found)


def prepare(bill: str, folder: Path) -> Workspace:
    """Reads the bill, and works out what it means."""
    workspace = BILLS[bill](folder)
    workspace.answers()
    return Workspace(workspace.settings)


if __name__ == "__main__":
    main()
