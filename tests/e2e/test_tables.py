"""Tables in a real browser: sorted, searched, clicked and used by the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import TABLE, Open, click_row, row_names, settled

MONTH = "?month=2026-10"
MODELS = ".st-key-models table"


def heading(page: Page, name: str, table: str = TABLE) -> Locator:
    return page.locator(table).get_by_role("columnheader", name=name)


def column(page: Page, number: int, table: str = TABLE) -> list[str]:
    """The cells of a column, from 0, total left out; the names are not among them."""
    return page.locator(f"{table} tbody tr td:nth-child({number + 2})").all_inner_texts()


def amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


def test_sorting_goes_by_amount_and_leaves_unallocated_and_total(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    row_names(page).first.wait_for()
    given, total = column(page, 0), page.locator(f"{TABLE} tfoot").inner_text()
    spend = heading(page, "Spend")
    for direction, reverse in (("descending", True), ("ascending", False)):
        spend.get_by_role("button").click()
        expect(spend).to_have_attribute("aria-sort", direction)
        amounts = [amount(text) for text in column(page, 0)]
        assert amounts[:-1] == sorted(amounts[:-1], reverse=reverse)
        assert row_names(page).last.inner_text() == "(unallocated)"
        assert page.locator(f"{TABLE} tfoot").inner_text() == total
    spend.get_by_role("button").click()
    expect(spend).not_to_have_attribute("aria-sort", re.compile("."))
    assert column(page, 0) == given
    assert page.url.endswith(f"/tenants{MONTH}")


def test_the_total_stands_below_and_headings_above_their_figures(open_page: Open) -> None:
    page = open_page(f"/models{MONTH}")
    below = page.locator(f"{MODELS} >> xpath=..").evaluate(
        "frame => { frame.scrollTop = 150; const foot = frame.querySelector('tfoot th');"
        " return foot.getBoundingClientRect().bottom - frame.getBoundingClientRect().bottom }"
    )
    assert below <= 1
    edges = [
        page.locator(f"{MODELS} {row} > :nth-child(2)").first.evaluate(
            "cell => { const range = document.createRange(); range.selectNodeContents(cell);"
            " return range.getBoundingClientRect().right }"
        )
        for row in ("thead tr", "tbody tr", "tfoot tr")
    ]
    assert max(edges) - min(edges) < 1.5  # pixels


def test_the_keyboard_alone_sorts_and_leads_on(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    names = heading(page, "Tenant").get_by_role("button")
    names.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(heading(page, "Tenant")).to_have_attribute("aria-sort", "descending")
    expect(names).to_be_focused()
    first = row_names(page).first.get_by_role("button")
    name = first.inner_text()
    while not first.evaluate("button => button.matches(':focus')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-crumbs")).to_contain_text(name)


def test_a_click_anywhere_on_a_row_leads_on_but_not_one_that_selects(open_page: Open) -> None:
    page = open_page(f"/tenants{MONTH}")
    figures = page.locator(f"{TABLE} tbody tr td:nth-child(2)")
    box = figures.first.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 5, middle)
    page.mouse.down()  # a figure is selected, to copy it
    page.mouse.move(box["x"] + 5, middle)
    page.mouse.up()
    assert page.evaluate("String(getSelection())") != ""
    name = row_names(page).nth(1).inner_text()
    figures.nth(1).click()
    expect(page.locator(".st-key-crumbs")).to_contain_text(name)


def test_names_are_found_and_the_order_outlives_a_choice(open_page: Open) -> None:
    page = open_page(f"/models{MONTH}")
    find = page.get_by_role("searchbox", name="Find in Models by spend")
    heading(page, "Spend", MODELS).get_by_role("button").click()
    heading(page, "Spend", MODELS).get_by_role("button").click()
    find.fill("nova")
    shown = page.locator(f"{MODELS} tbody tr:visible th")
    expect(shown.first).to_contain_text("Nova")
    names = shown.all_inner_texts()
    assert all("nova" in name.lower() for name in names)
    click_row(page, row_names(page, MODELS).all_inner_texts().index(names[0]), MODELS)
    expect(page).to_have_url(re.compile("at=model"))
    settled(page)
    expect(heading(page, "Spend", MODELS)).to_have_attribute("aria-sort", "ascending")
    assert shown.all_inner_texts() == names
    expect(page.locator(f"{MODELS} tr[aria-current=true] th")).to_have_text(names[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_names_stay_in_sight_and_the_table_scrolls(open_page: Open, scheme: str) -> None:
    page = open_page(f"/chargeback{MONTH}", width=390, scheme=scheme)
    table = "[class*=st-key-statement] table"
    name = row_names(page, table).first
    frame = page.locator(f"{table} >> xpath=..")
    assert frame.evaluate("frame => { frame.scrollLeft = 300; return frame.scrollLeft }") == 300
    expect(name).to_be_in_viewport(ratio=1)


def test_a_table_is_printed_whole(open_page: Open) -> None:
    page = open_page(f"/models{MONTH}")
    page.emulate_media(media="print")
    frame = page.locator(f"{MODELS} >> xpath=..")
    assert frame.evaluate("frame => frame.scrollHeight <= frame.clientHeight + 1")
    expect(page.get_by_role("searchbox").first).to_be_hidden()
