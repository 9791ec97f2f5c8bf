"""The first page after a start, on a store that is there, beside an empty Streamlit page.

    python -m benchmarks --only first_page

Each time on a new server. Over the WebSocket: from the moment that the server says it is healthy
until the first page's last message is there. In a browser with nothing in its cache: until the
first figures are drawn; for the empty page, until its one line is. Both are asked at once, while
the server still makes ready what it can; and once more where it has had the time to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from benchmarks.browser import ROOT, Tab, serving
from benchmarks.measure import Row, measured
from benchmarks.pages import BILLS, prepare

ROUNDS = 3
AIM_SECONDS = 1.2
READY_SECONDS = 8
"""After which all is ready that is made ready in the background."""
CHROMIUM = "/usr/bin/chromium"
EMPTY = "import streamlit\n\nstreamlit.text('empty')\n"
DRAWN_MS = 60_000


@dataclass(frozen=True, slots=True)
class App:
    """What is served, and where its first figure stands."""

    script: Path
    settings: Mapping[str, str]
    figure: str


@dataclass(frozen=True, slots=True)
class First:
    """Seconds of one first page."""

    start: float
    """From nothing to a healthy server."""
    page: float
    """From there to the last message of the first page."""
    drawn: float
    """On another new server, from there to the first figures in a browser."""
    ready: float
    """Of the first page where the server had time to make all ready."""


def rows(folder: Path) -> Iterator[Row]:
    """The lines of the table about the first page, one bill after the other."""
    for bill in BILLS:
        yield from rows_of(bill, folder)


def rows_of(bill: str, folder: Path) -> Iterator[Row]:
    """Those of one bill."""
    ours, empty = measure(bill, folder)
    yield _row(f"first page, {bill}, asked for as soon as the server is up", ours.page, empty.page)
    yield _row(f"first page, {bill}, once all is ready", ours.ready, empty.ready)
    yield Row(
        f"first figures in a browser, {bill}, nothing in its cache",
        f"{ours.drawn:.2f} s",
        f"an empty Streamlit page {empty.drawn:.2f} s",
        ours.drawn / empty.drawn,
        "",
        True,
    )
    whole, empty_whole = ours.start + ours.page, empty.start + empty.page
    yield Row(
        f"from nothing to the first page, {bill}",
        f"{whole:.2f} s",
        f"an empty Streamlit page {empty_whole:.2f} s",
        whole / empty_whole,
        "",
        True,
    )


def measure(bill: str, folder: Path) -> tuple[First, First]:
    """Medians of ours and of the empty page, in turns."""
    workspace = measured(prepare, bill, folder).answer
    settings = {
        "CHARGEBACK_CUR": str(workspace.settings.cur),
        "CHARGEBACK_STORE": str(workspace.settings.store_folder),
    }
    script = folder / "empty_page.py"
    script.write_text(EMPTY, "utf-8")
    ours = App(ROOT / "app.py", settings, "[data-testid=stMetricValue]")
    empty = App(script, {}, "[data-testid=stText]")
    with _browser() as browser:
        pairs = [(_first(ours, browser), _first(empty, browser)) for _ in range(ROUNDS)]
    found = [_middle([pair[n] for pair in pairs]) for n in range(2)]
    return found[0], found[1]


def _row(what: str, took: float, empty: float) -> Row:
    return Row(
        what,
        f"{took:.2f} s",
        f"an empty Streamlit page {empty:.2f} s",
        took / empty,
        f"under {AIM_SECONDS} s",
        took < AIM_SECONDS,
    )


def _first(app: App, browser: Browser) -> First:
    start = time.perf_counter()
    with serving(app.script, app.settings) as place:
        up = time.perf_counter() - start
        with closing(Tab(place, "")) as tab:
            page = tab.run()
    with serving(app.script, app.settings) as place:
        drawn = _seconds_to_draw(browser, place, app.figure)
    with serving(app.script, app.settings) as place:
        time.sleep(READY_SECONDS)
        with closing(Tab(place, "")) as tab:
            ready = tab.run()
    return First(up, page, drawn, ready)


def _seconds_to_draw(browser: Browser, place: str, figure: str) -> float:
    context = browser.new_context()
    try:
        page = context.new_page()
        start = time.perf_counter()
        page.goto(f"http://{place}/")
        page.locator(figure).first.wait_for(timeout=DRAWN_MS)
        return time.perf_counter() - start
    finally:
        context.close()


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def _middle(found: list[First]) -> First:
    return First(*(median(getattr(each, name) for each in found) for name in First.__slots__))
