"""Filters: chosen by hand, kept in the address, taken away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open, choose, row_names, settled, unfold

MONTH = "?month=2026-10"
TENANT = "O'Reilly, Inc."


def test_a_filter_is_in_the_address_and_survives_a_reload(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    unfold(page)
    choose(page, "Tenant", TENANT)
    expect(page).to_have_url(re.compile("tenant="))
    settled(page)
    expect(row_names(page)).to_have_text([TENANT])
    page.reload()
    settled(page)
    expect(row_names(page)).to_have_text([TENANT])
    expect(page).to_have_url(re.compile("tenant="))
    expect(page.get_by_text("Filters · 1")).to_be_visible()


def test_filters_stay_open_while_one_is_chosen(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    unfold(page)
    for name, value in (("Tenant", TENANT), ("Region", "us-east-1")):
        choose(page, name, value)
        settled(page)
    expect(page.get_by_text("Filters · 2")).to_be_visible()
    expect(page.get_by_role("combobox", name="Tenant")).to_be_visible()


def test_no_filters_where_they_do_not_apply_and_back_where_they_do(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}&team=search")
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("link", name="Chargeback").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Chargeback")
    settled(page)
    expect(page.get_by_text("the filters do not apply here")).to_have_count(1)
    expect(sidebar.get_by_text("Filters")).to_have_count(0)
    expect(page).to_have_url(re.compile("team=search"))
    sidebar.get_by_role("link", name="Models").click()
    expect(page.get_by_text("Only team search")).to_be_visible()
    expect(page.get_by_text("Filters · 1")).to_be_visible()


def test_filters_that_leave_nothing_can_be_cleared(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}&at=tenant:acme-corp&team=search&account=777788889999")
    expect(page.get_by_text("matches the filters")).to_be_visible()
    unfold(page)
    tags = page.get_by_test_id("stMultiSelect").locator("[data-tag]:visible")
    expect(tags).to_have_text(["777788889999", "search"])
    page.get_by_role("button", name="Clear the filters").click()
    expect(tags).to_have_count(0)
    expect(page).not_to_have_url(re.compile("team=|account="))
    expect(page).to_have_url(re.compile("month=2026-10.*at=tenant"))
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_back_leads_to_the_month_before(open_page: Open, width: int) -> None:
    page = open_page(f"/{MONTH}", width=width)
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


def test_arrows_lead_to_the_months_beside(open_page: Open) -> None:
    page = open_page(f"/teams{MONTH}")
    steps = page.evaluate("history.length")
    for arrow, month in (
        ("Month before", "2026-09"),
        ("Month after", "2026-10"),
        ("Month after", "2026-11"),
    ):
        page.get_by_role("button", name=arrow).click()
        page.wait_for_url(f"**month={month}")
        settled(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("Teams, November 2026")
    expect(page.get_by_role("button", name="Month after")).to_be_disabled()
    assert page.evaluate("history.length") == steps + 3
    page.go_back()
    expect(page.get_by_role("heading", level=2)).to_have_text("Teams, October 2026")
