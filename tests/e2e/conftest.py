"""The app as it is run, and a real browser to use it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from chargeback.demo import write_demo
from chargeback.demo.billing_api import BillingApi

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
SECONDS = 30
"""How long a page may take at most; the first one reads the bill."""
FAILED = "[data-testid=stException], [data-testid=stAlertContentError]"


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
    """The app on a port of its own, as `make run` starts it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_health(f"http://localhost:{port}/_stcore/health")
        yield Served(f"http://localhost:{port}", environment)
    finally:
        process.terminate()
        process.wait()


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
    """Opens an address of the app: `open_page("/tenants?month=2026-10", width=390)`."""
    contexts = []

    def open_it(path: str, *, width: int = 1440, scheme: str = "light", at: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.goto((at or served.address) + path)
        settled(page)
        return page

    expect.set_options(timeout=SECONDS * 1000)
    yield open_it
    for context in contexts:
        context.close()


def settled(page: Page) -> None:
    """Waits until the page is drawn and its script has run to the end."""
    page.get_by_role("heading", level=2).wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    expect(page.locator("[data-stale=true]")).to_have_count(0)
