"""axe-core in a page of the app: what it finds, and what of that is Streamlit's own."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.e2e.conftest import settled

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""WCAG 2.2, levels A and AA, by axe's tags."""
STREAMLITS = {
    "svg-img-alt": "[data-testid=stMetricChart]",  # a dot of the small chart in a metric's card
    "color-contrast": ".stCode .token",  # a word of code in the colours of its language
}
"""By rule, the part of Streamlit 1.67 that breaks it, which no option of ours changes."""
RUN = """
    async ([rules, streamlits]) => (await axe.run(document, {runOnly: rules})).violations.flatMap(
        rule => rule.nodes.map(node => {
            const part = streamlits[rule.id];
            const found = part && document.querySelector(node.target.flat().join(" "));
            return [rule.id, node.html, Boolean(found?.closest(part))];
        })
    )
"""


Scheme = Literal["light", "dark"]
SEEN_AS: tuple[tuple[int, Scheme], ...] = ((1440, "light"), (390, "dark"))
"""Widths and colour schemes in which a page is looked at."""
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 28)"}
"""Of the themes in .streamlit/config.toml."""


def look(page: Page, width: int, scheme: Scheme) -> None:
    """Shows an open page at another width, or in the other theme, as a reader's own browser may."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".stApp")).to_have_css("background-color", BACKGROUNDS[scheme])
    settled(page)  # charts are drawn again


class Findings(NamedTuple):
    """What is wrong with a page for those who read it otherwise."""

    ours: list[tuple[str, str]]
    """Rule and HTML."""
    streamlits: set[str]
    """Rules."""


def findings(page: Page) -> Findings:
    """Runs axe-core in a page, once all of it is drawn."""
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.evaluate(AXE_SCRIPT)
    found: list[Any] = page.evaluate(RUN, [RULES, STREAMLITS])
    ours = [(rule, html) for rule, html, is_streamlits in found if not is_streamlits]
    return Findings(ours, {rule for rule, _, is_streamlits in found if is_streamlits})
