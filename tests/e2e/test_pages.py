"""Every page, as a browser shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import SEEN_AS, findings, look
from tests.e2e.conftest import FAILED, Open, Served, serving

PAGES = {
    "/": "October 2026",
    "/tenants": "Tenants, October 2026",
    "/teams": "Teams, October 2026",
    "/projects": "Projects, October 2026",
    "/cost-centers": "Cost centers, October 2026",
    "/principals": "Principals, October 2026",
    "/models": "Models, October 2026",
    "/coverage": "Coverage, October 2026",
    "/chargeback": "Chargeback, October 2026",
    "/statement": "Statement, October 2026",
    "/reconciliation": "Reconciliation, October 2026",
    "/close": "Close, October 2026",
    "/setup": "Setup",
}
MONTH = "?month=2026-10"
WIDEST = """
    Math.max(...[document.documentElement, ...document.querySelectorAll("[data-testid=stMain]")]
        .map(element => element.scrollWidth))
"""
"""Streamlit's pages scroll in an element of their own, which hides what the document would show."""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_without_error_fits_and_can_be_read_by_all(open_page: Open, path: str) -> None:
    page = open_page(path + MONTH)
    expect(page.get_by_role("heading", level=2)).to_have_text(PAGES[path])
    expect(page.locator(FAILED)).to_have_count(0)
    expect(page.get_by_role("table").first).to_be_visible()
    for width, scheme in SEEN_AS:
        look(page, width, scheme)
        assert page.evaluate(WIDEST) <= width
        assert findings(page).ours == []


def test_a_servers_first_request_may_be_for_any_view(
    open_page: Open, environment: dict[str, str], served: Served
) -> None:
    with serving(environment) as fresh:
        page = open_page("/teams?month=2026-09&at=team:search", at=fresh.address)
        expect(page.get_by_role("heading", level=2)).to_have_text("Teams, September 2026")
        expect(page.locator(".st-key-crumbs")).to_contain_text("search")
        expect(page.locator(FAILED)).to_have_count(0)
