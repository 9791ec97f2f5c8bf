"""The app as it is run, and a real browser to use it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import (
    Browser,
    Dialog,
    Locator,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from chargeback.demo import write_demo
from chargeback.demo.billing_api import BillingApi

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
SECONDS = 30
"""How long a page may take at most; the first one reads the bill."""
FAILED = ", ".join(
    f"[data-testid={what}]"
    for what in ("stException", "stAlertContentError", "stAlertContentWarning")
)
"""What a page of a bill without a problem does not show."""
TABLE = ".st-key-drill-table table"
"""What a drill-down page ranks."""


@dataclass(frozen=True)
class Served:
    """A running app: its address, and the environment that the command line needs for its bill."""

    address: str
    environment: dict[str, str]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m chargeback` on the same bill."""
        return subprocess.run(
            [sys.executable, "-m", "chargeback", *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            check=True,
        )


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Three months of the demo bill, and the way to a service that answers as AWS does from it."""
    folder = tmp_path_factory.mktemp("bill")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=3, lines=2000)
    with BillingApi(folder / "cur") as billing:
        yield {
            **os.environ,
            "CHARGEBACK_CUR": str(folder / "cur"),
            "CHARGEBACK_STORE": str(folder / "store"),
            "AWS_ENDPOINT_URL": billing.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[Served]:
    """The app on a port of its own, as `make run` starts it; its log must hold no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_health(f"http://localhost:{port}/_stcore/health")
            yield Served(f"http://localhost:{port}", environment)
        finally:
            process.terminate()
            process.wait()
        log.seek(0)
        said = log.read().decode()
        assert "Traceback" not in said, said


@retry(
    retry=retry_if_exception_type((URLError, ConnectionError)),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(SECONDS),
)
def _await_health(address: str) -> None:
    with urlopen(address) as answer:  # noqa: S310 -- an address on this machine
        assert answer.status == 200


@pytest.fixture(scope="session")
def served(environment: dict[str, str]) -> Iterator[Served]:
    """The app, with the bill read."""
    with serving(environment) as running:
        running.command("refresh")
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    assert CHROMIUM, "Chromium is not installed"
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, as whom CI runs.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[Open]:
    """Opens an address of the app: `open_page("/tenants?month=2026-10", width=390)`.

    No page may open a dialog, let an error of a script go by, or ask anything of another computer.
    """
    contexts, unwanted = [], []

    def dismiss(dialog: Dialog) -> None:
        unwanted.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_it(path: str, *, width: int = 1440, scheme: str = "light", at: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: unwanted.append(f"script: {error}"))
        page.on("request", lambda request: unwanted.extend(_elsewhere(request.url)))
        page.set_default_timeout(SECONDS * 1000)
        page.goto((at or served.address) + path)
        settled(page)
        return page

    expect.set_options(timeout=SECONDS * 1000)
    yield open_it
    for context in contexts:
        context.close()
    assert not unwanted


def _elsewhere(address: str) -> list[str]:
    """What the browser asked of another computer: a bill is nobody else's business."""
    host = urlsplit(address).hostname
    return [f"request: {address}"] if host not in (None, "", "localhost") else []


def settled(page: Page) -> None:
    """Waits until the page is drawn and its script has run to the end."""
    page.get_by_role("heading", level=2).wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    expect(page.locator("[data-stale=true]")).to_have_count(0)


def unfold(page: Page) -> None:
    """Opens the filters in the sidebar, and waits until they have stopped moving."""
    page.locator(".st-key-filters summary").click()
    page.locator(".st-key-filters").get_by_role("combobox").first.hover()


@retry(retry=retry_if_exception_type(TimeoutError), stop=stop_after_delay(SECONDS))
def choose(page: Page, name: str, value: str) -> None:
    """Chooses a value of a filter by typing it; again where the list moved under the click."""
    page.get_by_role("combobox", name=name).fill(value)
    page.get_by_role("option", name=value).click(timeout=SECONDS * 100)
    page.keyboard.press("Escape")  # an open list hides the rest from those who can't see


def row_names(page: Page, table: str = TABLE) -> Locator:
    """The names in a table, from top to bottom."""
    return page.locator(f"{table} tbody th")


def click_row(page: Page, row: int = 0, table: str = TABLE) -> str:
    """Clicks a row, anywhere; returns its name."""
    cell = row_names(page, table).nth(row)
    name = cell.inner_text()
    cell.locator("xpath=..").click()
    return name
