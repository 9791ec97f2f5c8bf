"""The owner list, edited with mouse and keyboard in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chargeback.ledger import changes
from chargeback.ui.owner_editor import ROW_PIXELS
from tests.e2e.conftest import FAILED, Open, Served, row_names, serving, settled
from tests.e2e.test_pages import WIDEST

GATEWAY = "arn:aws:iam::*:role/llm-gateway"
OLD = f"iam_principal,usage_account_id,team\n{GATEWAY},,gateway\n"
USER = "arn:aws:iam::444455556666:user/ci-evals"
EDITOR = "[data-testid=stDataFrame]"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "owners.csv"
    file.write_text(OLD, "utf-8")
    return file


@pytest.fixture
def with_list(
    environment: dict[str, str], served: Served, file: Path, tmp_path: Path
) -> Iterator[Served]:
    """The app with a rule that asks the list; the bill is read."""
    rules = {"team": ["iamPrincipal/team", {"owners": str(file)}]}
    more = {
        "CHARGEBACK_ATTRIBUTION": json.dumps(rules),
        "CHARGEBACK_LEDGER": str(tmp_path / "ledger"),
    }
    with serving(environment | more) as running:
        yield running


@pytest.fixture
def open_owners(open_page: Open, with_list: Served) -> Callable[..., Page]:
    return lambda path, **more: open_page(path, at=with_list.address, **more)


def type_team(page: Page, row: int, text: str) -> None:
    """Types a team into a row of the table, from 0: two cells right of the IAM principal."""
    page.bring_to_front()
    page.locator(f"{EDITOR} [role=gridcell]").first.wait_for(state="attached")
    table = page.locator(f"{EDITOR} .dvn-scroller").first
    table.click(position={"x": 150, "y": ROW_PIXELS * (row + 1.5)})
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.wait_for_timeout(300)  # the table is drawn on a canvas: nothing tells when it is ready
        page.keyboard.press(key)
    page.locator("#portal textarea").fill(text)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Discard")).to_be_visible()
    settled(page)


def test_a_row_is_added_from_a_link_typed_previewed_and_saved(
    open_owners: Callable[..., Page], file: Path, tmp_path: Path
) -> None:
    page = open_owners(f"/owners?month=2026-10&add={USER}")
    type_team(page, 1, "research")
    expect(page.get_by_text("What this moves, September 2026 to November 2026")).to_be_visible()
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.get_by_text("Saved 1 change to owners.csv")).to_be_visible()
    assert file.read_text("utf-8") == f"{OLD}{USER},,research\n"
    (entry,) = changes.entries(tmp_path / "ledger")
    assert entry["after"]["rows"][0]["after"] == {"iam_principal": USER, "team": "research"}
    assert page.url.endswith("/owners?month=2026-10")
    page.get_by_role("link", name="Teams").click()
    settled(page)
    expect(row_names(page).filter(has_text="research")).to_have_count(1)


def test_the_second_of_two_browsers_is_told(open_owners: Callable[..., Page], file: Path) -> None:
    first, second = open_owners("/owners"), open_owners("/owners")
    type_team(first, 0, "ann")
    type_team(second, 0, "bob")
    first.get_by_role("button", name="Save 1 change").click()
    expect(first.get_by_text("Saved 1 change")).to_be_visible()
    second.get_by_role("button", name="Save 1 change").click()
    expect(second.get_by_text("While you were editing, this machine saved")).to_be_visible()
    settled(second)
    assert file.read_text("utf-8") == OLD.replace(",gateway", ",ann")
    second.get_by_role("button", name="Load the current list").click()
    settled(second)
    expect(second.locator(EDITOR).first).to_contain_text("ann")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_page_fits(open_owners: Callable[..., Page], width: int, scheme: str) -> None:
    page = open_owners(f"/owners?add={USER}", width=width, scheme=scheme)
    expect(page.locator(EDITOR).first).to_be_visible()
    expect(page.locator(FAILED)).to_have_count(0)
    assert page.evaluate(WIDEST) <= width
