"""Takes docs/overview.png anew: python docs/screenshot.py, with the app running on demo data."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ADDRESS = "http://localhost:8501/?month={month}"
SIZE = {"width": 1440, "height": 1050}


def main(month: str) -> None:
    """Writes the picture of one month's Overview.

    Args:
        month: YYYY-MM.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(ADDRESS.format(month=month))
        page.get_by_role("heading", name="What moved since").wait_for()
        page.locator("[data-test-script-state=notRunning]").wait_for()
        page.locator(".js-plotly-plot .barlayer").last.wait_for()
        page.screenshot(path=Path(__file__).with_name("overview.png"))


if __name__ == "__main__":
    main(sys.argv[1])
