"""Filters: chosen by hand, kept in the address, taken away."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Open, row_names, settled

MONTH = "?month=2026-10"
TENANT = "O'Reilly, Inc."


def test_a_filter_is_in_the_address_and_survives_a_reload(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    # Typing leaves one option: a list that has to be scrolled may swallow the click.
    page.get_by_role("combobox", name="Tenant").fill(TENANT)
    page.get_by_role("option", name=TENANT).click()
    page.keyboard.press("Escape")  # an open list hides the rest from those who can't see
    expect(page).to_have_url(re.compile("tenant="))
    settled(page)
    expect(row_names(page)).to_have_text([TENANT])
    page.reload()
    settled(page)
    expect(row_names(page)).to_have_text([TENANT])
    expect(page).to_have_url(re.compile("tenant="))


def test_filters_that_leave_nothing_can_be_cleared(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}&at=tenant:acme-corp&team=search&account=777788889999")
    expect(page.get_by_text("matches the filters")).to_be_visible()
    tags = page.get_by_test_id("stMultiSelect").locator("[data-tag]:visible")
    expect(tags).to_have_text(["777788889999", "search"])
    page.get_by_role("button", name="Clear the filters").click()
    expect(tags).to_have_count(0)
    expect(page).not_to_have_url(re.compile("team=|account="))
    expect(page).to_have_url(re.compile("month=2026-10.*at=tenant"))
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()


def test_back_leads_to_the_month_before(open_page: Open) -> None:
    page = open_page(f"/{MONTH}")
    spend = page.get_by_test_id("stMetricValue").first
    october = spend.inner_text()
    page.get_by_role("combobox", name="Billing period").click()
    page.get_by_role("option", name="September 2026").click()
    expect(page).to_have_url(re.compile("month=2026-09"))
    expect(spend).not_to_have_text(october)
    settled(page)
    page.go_back()
    expect(page).to_have_url(re.compile("month=2026-10"))
    expect(spend).to_have_text(october)
