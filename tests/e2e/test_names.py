"""Names that look like markup, formulas or lists are text, wherever a page shows them."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import expect

from tests.e2e.conftest import FAILED, Open, click_row, row_names, settled, unfold

NAMES = ["<b>Globex</b>", '=HYPERLINK("http://evil.example","x")', "O'Reilly, Inc."]
UNKNOWN = "<img src=x onerror=alert(1)>"
INJECTED = "b, a[href^='http://evil'], img[src=x]"
MONTH = "?month=2026-10"


def test_a_click_on_a_name_opens_that_name(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    crumbs = page.locator(".st-key-crumbs")
    for name in NAMES:
        expect(row_names(page).filter(has_text=name)).to_have_count(1)
        row = row_names(page).all_text_contents().index(name)
        assert click_row(page, row) == name
        expect(crumbs).to_contain_text(name)
        settled(page)
        expect(page.get_by_test_id("stMetricValue").first).to_contain_text("$")
        expect(page.locator(FAILED)).to_have_count(0)
        expect(page.get_by_test_id("stMain").locator(INJECTED)).to_have_count(0)
        page.go_back()
        expect(crumbs).to_have_count(0)
        settled(page)


def test_charts_and_filters_show_names_as_text(open_page: Open) -> None:
    page = open_page(f"/{MONTH}" + "".join(f"&tenant={quote(name)}" for name in NAMES))
    legend = page.locator(".legendtext")
    expect(legend).to_have_count(len(NAMES))
    shown = {text.rstrip("\N{HORIZONTAL ELLIPSIS}") for text in legend.all_text_contents()}
    assert all(any(name.startswith(text) for text in shown) for name in NAMES)
    unfold(page)
    tags = page.get_by_test_id("stMultiSelect").locator("[data-tag]:visible")
    expect(tags).to_have_text(NAMES)
    expect(
        page.locator(".js-plotly-plot, [data-testid=stSidebar]").locator(INJECTED)
    ).to_have_count(0)


def test_a_name_that_no_bill_holds_is_only_text(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}&at=tenant:{quote(UNKNOWN)}")
    expect(page.get_by_text(f"under {UNKNOWN} was billed")).to_be_visible()
    expect(page.locator(INJECTED)).to_have_count(0)
