"""Every page, as a browser shows it."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import FAILED, Open, Served, serving

PAGES = {
    "/": "October 2026",
    "/tenants": "Tenants, October 2026",
    "/teams": "Teams, October 2026",
    "/principals": "Principals, October 2026",
    "/models": "Models, October 2026",
    "/chargeback": "Chargeback, October 2026",
    "/reconciliation": "Reconciliation, October 2026",
}
MONTH = "?month=2026-10"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_page_opens_without_error_and_fits(
    open_page: Open, path: str, width: int, scheme: str
) -> None:
    page = open_page(path + MONTH, width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=2)).to_have_text(PAGES[path])
    expect(page.locator(FAILED)).to_have_count(0)
    expect(page.locator("[data-testid=stDataFrame]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_servers_first_request_may_be_for_any_view(
    open_page: Open, environment: dict[str, str], served: Served
) -> None:
    with serving(environment) as fresh:
        page = open_page("/teams?month=2026-09&at=team:search", at=fresh.address)
        expect(page.get_by_role("heading", level=2)).to_have_text("Teams, September 2026")
        expect(page.locator(".st-key-crumbs")).to_contain_text("search")
        expect(page.locator(FAILED)).to_have_count(0)


@pytest.mark.parametrize("name", ["<b>Globex</b>", '=HYPERLINK("http://evil.example","x")'])
def test_a_name_from_the_bill_is_only_text(open_page: Open, name: str) -> None:
    page = open_page(f"/tenants{MONTH}&at=tenant:{quote(name)}")
    crumbs = page.locator(".st-key-crumbs")
    expect(crumbs).to_contain_text(name)
    expect(crumbs.locator("b, a[href*=evil]")).to_have_count(0)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"\$[\d,]+\.\d\d"))


def test_filters_that_leave_nothing_can_be_cleared(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}&at=tenant:acme-corp&team=search")
    expect(page.get_by_text("matches the filters")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page).not_to_have_url(re.compile("team="))
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()
