"""axe-core in a page of the app: what it finds, and what of that is Streamlit's own."""

from __future__ import annotations

from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""WCAG 2.2, levels A and AA, by axe's tags."""
STREAMLITS = {
    "svg-img-alt": "[data-testid=stMetricChart]",  # a dot of the small chart in a metric's card
    "color-contrast": ".stCode .token",  # a word of code in the colours of its language
}
"""By rule, the part of Streamlit 1.67 that breaks it, which no option of ours changes."""
RUN = """
    async (rules) => (await axe.run(document, {runOnly: rules})).violations.flatMap(
        rule => rule.nodes.map(node => [rule.id, node.target.flat().join(" "), node.html])
    )
"""
IS_WITHIN = "([target, part]) => document.querySelector(target).closest(part) !== null"


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
    found: list[Any] = page.evaluate(RUN, RULES)
    ours, streamlits = [], set()
    for rule, target, html in found:
        part = STREAMLITS.get(rule)
        if part and page.evaluate(IS_WITHIN, [target, part]):
            streamlits.add(rule)
        else:
            ours.append((rule, html))
    return Findings(ours, streamlits)
