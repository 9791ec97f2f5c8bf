"""From every page with rows to where they lead: there, back, forward, and through a reload.

In a month that is not the newest and with a filter set, for a way that forgets either is only seen
there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from chargeback.access.rows import EVERYTHING
from chargeback.reports.ranking import rank
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.statement.build import build_statement
from chargeback.workspace import Workspace
from tests.bills import whole
from tests.e2e.conftest import FAILED, TABLE, Open, Served, click_row, row_names, settled, unfold

MONTH, IN_WORDS = "2026-09", "September 2026"
ACCOUNT = "111122223333"
KEPT = [("month", MONTH), ("account", ACCOUNT)]
TITLES = {
    "/": IN_WORDS,
    **{
        f"/{title.lower()}": f"{title}, {IN_WORDS}"
        for title in (
            "Tenants",
            "Teams",
            "Projects",
            "Principals",
            "Models",
            "Coverage",
            "Chargeback",
            "Reconciliation",
        )
    },
    "/cost-centers": f"Cost centers, {IN_WORDS}",
    "/setup": "Setup",
}
OWN_PAGE = {"tenant": "/tenants", "team": "/teams", "principal": "/principals", "model": "/models"}
CHARGED = {
    "tenant": ("/tenants", "tenant"),
    "cost_center": ("/cost-centers", "cost_center"),
    "principal": ("/principals", "iam_principal"),
    "account": ("/principals", "account"),
}
"""Where a statement's rows lead, and what they narrow that page by. test_dimensions.py has all."""

Address = tuple[str, list[tuple[str, str]]]


def address_of(url: str) -> Address:
    """Path and parameters, however the browser spells them."""
    parts = urlsplit(url)
    return parts.path, parse_qsl(parts.query)


def is_at(page: Page, address: Address) -> None:
    """Asserts the exact address and the heading, once the page is drawn."""
    page.wait_for_url(lambda url: address_of(url) == address)
    expect(page.get_by_role("heading", level=2)).to_have_text(TITLES[address[0]])
    settled(page)
    assert address_of(page.url) == address
    expect(page.locator(FAILED)).to_have_count(0)


def walk(page: Page, take: Callable[[], object], start: Address, end: Address) -> None:
    """There in one step, back, forward, a reload, and back again."""
    steps = page.evaluate("history.length")
    take()
    is_at(page, end)
    assert page.evaluate("history.length") == steps + 1
    page.go_back()
    is_at(page, start)
    page.go_forward()
    is_at(page, end)
    page.reload()
    is_at(page, end)
    page.go_back()
    is_at(page, start)
    assert page.evaluate("history.length") == steps + 1


@pytest.fixture
def open_at(open_page: Open) -> Callable[[Address], Page]:
    """Opens a page at an address."""

    def open_it(address: Address) -> Page:
        page = open_page(f"{address[0]}?{urlencode(address[1])}")
        is_at(page, address)
        return page

    return open_it


OpenAt = Callable[[Address], Page]


@pytest.fixture(scope="module")
def workspace(served: Served) -> Workspace:
    """The bill that is served, to ask which unit stands where."""
    of = served.environment
    return Workspace(Settings(cur=Path(of["CHARGEBACK_CUR"]), store=Path(of["CHARGEBACK_STORE"])))


@pytest.fixture
def largest(workspace: Workspace) -> Callable[[str], str]:
    """The unit in the first row of a ranking."""
    answers, view = workspace.answers(), View(MONTH, "USD", EVERYTHING, (("account", (ACCOUNT,)),))
    return lambda dimension: rank(answers, view, dimension)["unit"][0]


@pytest.mark.parametrize("dimension", ["team", "model"])
def test_a_row_of_the_overview(
    open_at: OpenAt, largest: Callable[[str], str], dimension: str
) -> None:
    start = ("/", [*KEPT, ("trend", "team")])
    end = (OWN_PAGE[dimension], [*KEPT, ("at", f"{dimension}:{largest(dimension)}")])
    page = open_at(start)
    walk(page, lambda: click_row(page, table=f".st-key-top-{dimension}"), start, end)


@pytest.mark.parametrize("by", CHARGED)
def test_a_row_of_the_statement(open_at: OpenAt, workspace: Workspace, by: str) -> None:
    statement = build_statement(workspace.answers(), whole(MONTH), by, date(2026, 11, 23))
    # The statement is always whole: its first row need not be the filter's.
    unit = statement.by_amount[0].bill_to
    path, dimension = CHARGED[by]
    start = ("/chargeback", [*KEPT, ("charge_to", by)])
    page = open_at(start)
    end = (path, [*KEPT, ("at", f"{dimension}:{unit}")])
    if by == "account":
        assert unit == ACCOUNT
    walk(page, lambda: click_row(page, table=f".st-key-statement-{by}-USD"), start, end)


@pytest.mark.parametrize("dimension", ["tenant", "principal"])
def test_a_row_of_a_ranking(open_at: OpenAt, largest: Callable[[str], str], dimension: str) -> None:
    start = (OWN_PAGE[dimension], KEPT)
    end = (start[0], [*KEPT, ("at", f"{dimension}:{largest(dimension)}")])
    page = open_at(start)
    walk(page, lambda: click_row(page, table=TABLE), start, end)


def test_a_reason_of_coverage_and_one_of_its_callers(open_at: OpenAt) -> None:
    start = ("/coverage", [*KEPT, ("to", "cost_center")])
    reason = ("/coverage", [*start[1], ("reason", "no-tag")])
    page = open_at(start)
    table = "[class*=st-key-reasons-cost_center]"
    row_names(page, table).first.wait_for()
    place = row_names(page, table).all_text_contents().index("Callers without the tag")
    walk(page, lambda: click_row(page, place, table), start, reason)
    page.go_forward()
    is_at(page, reason)
    click_row(page, 0, "[class*=st-key-callers-cost_center]")
    page.wait_for_url("**caller=*")
    expect(page.get_by_role("heading", level=5)).to_contain_text("To fix")


def test_a_row_of_the_models(open_at: OpenAt, largest: Callable[[str], str]) -> None:
    start, end = ("/models", KEPT), ("/models", [*KEPT, ("at", f"model:{largest('model')}")])
    page = open_at(start)
    walk(page, lambda: click_row(page, table=".st-key-models"), start, end)


@pytest.mark.parametrize("path", ["/chargeback", "/setup"])
def test_the_list_of_pages(open_at: OpenAt, path: str) -> None:
    start = ("/tenants" if path != "/tenants" else "/teams", [*KEPT, ("at", "team:search")])
    page = open_at(start)
    name = TITLES[path].partition(",")[0] if path != "/" else "Overview"
    link = page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True)
    walk(page, link.click, start, (path, KEPT))


def test_a_crumb(open_at: OpenAt) -> None:
    above = [*KEPT, ("at", "tenant:acme-corp")]
    start = ("/tenants", [*above, ("at", "team:search"), ("by", "model")])
    page = open_at(start)
    crumb = page.locator(".st-key-crumbs").get_by_role("link", name="acme-corp")
    walk(page, crumb.click, start, ("/tenants", above))


def test_what_is_chosen_by_hand(open_at: OpenAt) -> None:
    start = ("/chargeback", KEPT)
    page = open_at(start)
    team = page.get_by_role("radio", name="Team", exact=True)
    walk(page, team.click, start, ("/chargeback", [*KEPT, ("charge_to", "team")]))


def test_a_control_that_is_drawn_late_changes_nothing(open_page: Open) -> None:
    page, held = open_page(f"/setup?{urlencode(KEPT)}"), list[Route]()
    pages = page.get_by_test_id("stSidebar")
    page.route("**/Multiselect*.js", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright marks it
    pages.get_by_role("link", name="Tenants").click()
    is_at(page, ("/tenants", KEPT))
    pages.get_by_role("link", name="Models").click()
    is_at(page, ("/models", KEPT))
    for route in held:
        route.continue_()
    unfold(page)
    tags = page.get_by_test_id("stMultiSelect").locator("[data-tag]:visible")
    expect(tags).to_have_text([ACCOUNT])
    page.go_back()
    is_at(page, ("/tenants", KEPT))
    expect(tags).to_have_text([ACCOUNT])


def open_a_phones_list_of_pages(page: Page) -> Locator:
    page.get_by_test_id("stExpandSidebarButton").click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    return sidebar


def test_a_phones_list_of_pages_folds_once_it_led_on(open_page: Open) -> None:
    page = open_page(f"/tenants?{urlencode(KEPT)}", width=390)
    sidebar = open_a_phones_list_of_pages(page)
    for name, path in (("Models", "/models"), ("Tenants", "/tenants"), ("Tenants", "/tenants")):
        sidebar.get_by_role("link", name=name).click()
        is_at(page, (path, KEPT))
        expect(sidebar).to_have_attribute("data-collapsed", "true")
        open_a_phones_list_of_pages(page)


def test_it_folds_also_for_who_was_faster_than_its_script(open_page: Open) -> None:
    page, held = open_page(f"/tenants?{urlencode(KEPT)}", width=390), list[Route]()
    page.route("**/BidiComponent*.js", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright marks it
    page.reload()
    sidebar = open_a_phones_list_of_pages(page)
    sidebar.get_by_role("link", name="Models").click()
    is_at(page, ("/models", KEPT))
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    for route in held:
        route.continue_()
    expect(sidebar).to_have_attribute("data-collapsed", "true")
