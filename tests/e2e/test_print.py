"""Pages on paper: without what is there to click, in ink, and with nothing cut."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open

PAPER = 703
"""A4 less 12 mm on either side, in CSS pixels: (210 - 24) / 25.4 * 96."""
INK = "rgb(16, 24, 35)"
"""#101823, as in page.css."""
CLICKED = (
    "[data-testid=stSidebar]",
    "[data-testid=stHeader]",
    ".st-key-period",
    ".st-key-downloads",
    "button:not(table button)",
)
COLOURS = """
    () => [...document.querySelectorAll(".stApp p, .stApp h2, .stApp h3, .js-plotly-plot text")]
        .filter(element => element.checkVisibility())
        .map(element => getComputedStyle(element)[element.closest("svg") ? "fill" : "color"])
"""
PRINT = """
    (width) => {
        window.dispatchEvent(new Event("beforeprint"));
        const page = document.querySelector(".stMainBlockContainer");
        page.style.width = `${width}px`;
        const layers = [...document.querySelectorAll(".js-plotly-plot .main-svg")].map(layer => [
            layer.getBoundingClientRect().width,
            layer.getAttribute("viewBox"),
            `0 0 ${layer.getAttribute("width")} ${layer.getAttribute("height")}`,
        ]);
        page.style.width = "";
        window.dispatchEvent(new Event("afterprint"));
        return layers;
    }
"""
"""Of each layer of a chart, where the page gets narrower and Plotly does not draw again: how wide
it is, what of its drawing it shows, and what is drawn."""


IS_HEARD = """
    () => {
        window.dispatchEvent(new Event("beforeprint"));
        const drawn = document.querySelector(".main-svg[viewBox]");
        window.dispatchEvent(new Event("afterprint"));
        return drawn !== null;
    }
"""
"""Whether the page's script is there."""


def for_paper(page: Page) -> None:
    """Waits until all is drawn, and lays it out by the rules for paper."""
    page.locator(".js-plotly-plot .bars path").first.wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.emulate_media(media="print")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_on_paper(open_page: Open, scheme: str) -> None:
    page = open_page("/tenants?month=2026-10&at=tenant:acme-corp", scheme=scheme)
    for_paper(page)
    for what in CLICKED:
        assert not any(element.is_visible() for element in page.locator(what).all()), what
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    colours = page.evaluate(COLOURS)
    assert len(colours) > 10  # four figures with a name, an amount and a comparison
    assert set(colours) == {INK}


def test_a_chart_becomes_as_wide_as_the_paper(open_page: Open) -> None:
    page = open_page("/?month=2026-10")
    for_paper(page)
    page.wait_for_function(IS_HEARD)
    layers = page.evaluate(PRINT, PAPER)
    assert layers
    for width, shown, drawn in layers:
        assert (width, shown) == (PAPER, drawn)
    # What comes next is drawn for the screen.
    expect(page.locator(".main-svg[viewBox]")).to_have_count(0)
