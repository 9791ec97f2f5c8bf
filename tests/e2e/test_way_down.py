"""From a tenant down to the single CUR line, by clicks, and back by the address."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Open, click_row, row_names, settled


def test_a_cause_leads_to_its_caller_and_from_there_to_its_days(open_page: Open) -> None:
    page = open_page("/?month=2026-10")
    name = click_row(page, table=".st-key-causes")
    expect(page).to_have_url(re.compile(r"/principals\?month=2026-10&at=principal"))
    crumbs = page.locator(".st-key-crumbs")
    expect(crumbs).to_contain_text(name)
    settled(page)
    assert click_row(page, table=".st-key-causes") == name
    expect(page).to_have_url(re.compile(r"by=day"))
    expect(page.get_by_role("heading", name="Spend by day", exact=True)).to_be_visible()


def test_clicks_lead_from_a_tenant_to_its_cur_lines(open_page: Open) -> None:
    page = open_page("/tenants?month=2026-10")
    way = []
    for level in range(1, 4):  # tenant, model, token type: of one team and one principal only
        way.append(click_row(page))
        expect(page).to_have_url(re.compile(rf"(at=[^&]*&?){{{level}}}"))
        # The crumbs are drawn before the table: only after them is its state the new level's.
        expect(page.locator(".st-key-crumbs")).to_contain_text(way[-1])
        settled(page)
        if level == 1:
            expect(page.locator(".st-key-crumbs")).to_contain_text("only team: checkout")
    day = click_row(page)
    expect(page).to_have_url(re.compile(f"day={day}"))
    settled(page)
    expect(page.get_by_text("this level's cost, to the last digit")).to_be_visible()
    expect(page.get_by_role("heading", name="CUR lines")).to_be_visible()
    first = row_names(page, "table").first
    expect(first).to_contain_text(day)

    crumbs, address = page.locator(".st-key-crumbs").inner_text(), page.url
    page.reload()
    settled(page)
    # Streamlit draws a button's words a moment after the button.
    expect(page.locator(".st-key-crumbs")).to_have_text(crumbs, use_inner_text=True)
    assert page.url == address
    assert "month=2026-10" in address
    page.go_back()
    expect(page).not_to_have_url(re.compile("day="))
    page.locator(".st-key-crumbs").get_by_role("link", name=way[0]).click()
    expect(page).to_have_url(re.compile(r"^(?!.*at=.*at=).*at="))


def test_another_month_is_chosen_and_kept_in_the_address(open_page: Open) -> None:
    page = open_page("/tenants?month=2026-10&at=tenant:acme-corp")
    page.get_by_role("combobox", name="Billing period").click()
    page.get_by_role("option", name="September 2026").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Tenants, September 2026")
    expect(page).to_have_url(re.compile("month=2026-09"))
    page.reload()
    settled(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("Tenants, September 2026")
    expect(page.locator(".st-key-crumbs")).to_contain_text("acme-corp")
