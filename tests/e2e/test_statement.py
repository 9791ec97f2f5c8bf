"""A unit's statement on paper: one page, light, whatever the browser and the name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.bills import MONTH, Line, line, write_bill
from tests.e2e.conftest import Open, Served, serving, settled
from tests.statement.units import BEFORE, in_month

NAMES = ["株式会社" * 30, "شركة الأمثلة المحدودة " * 8, "W" * 256]
"""As long as a tag's value can be (AWS, "Tag naming limits": 256 characters), and of any script."""
PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


RULES = {
    "tax": "usage",
    "rules": [
        {
            "id": f"rule {number}",
            "name": f"{number} {'Long name of a rule ' * 8}",
            "for": ["tenant"],
            "take": {"unit": "*", "principal": f"*:role/shared-{number}"},
            "by": "even",
        }
        for number in range(14)
    ],
}
"""More than have a row of their own, and with long names."""


def lines_of(number: int, name: str) -> list[Line]:
    """Of every type, of many callers and models with long names; net costs contradict them."""
    types = ("Usage", "EdpDiscount", "Credit", "Refund", "Tax", "Fee")
    return [
        *(line(f"{at + 1}00.00", type_, net="1.00", tenant=name) for at, type_ in enumerate(types)),
        *(
            line(
                f"{at + 1}000.00",
                net=f"{at + 1}00.00",
                tenant=name,
                principal=f"arn:aws:iam::111122223333:role/{at}{name[:60]}",
                line_item_usage_type=f"USE1-Unheard{number}{at}{'Of' * 20}-thing",
            )
            for at in range(9)
        ),
    ]


@pytest.fixture(scope="module")
def long_names(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """As much as a statement can have to say, twice: an open month with notices, of long names."""
    folder = tmp_path_factory.mktemp("long")
    lines = [each for at, name in enumerate(NAMES) for each in lines_of(at, name)]
    lines += [
        line(f"{at + 1}0.00", principal=f"arn:aws:iam::111122223333:role/shared-{at}")
        for at in range(14)
    ]
    cur = write_bill(folder / "cur", {BEFORE: in_month(BEFORE, lines), MONTH: lines})
    here = {"CHARGEBACK_CUR": str(cur), "CHARGEBACK_STORE": str(folder / "store")}
    rules = {"CHARGEBACK_ALLOCATION": json.dumps(RULES)}
    with serving({**environment, **here, **rules}) as running:
        yield running


def printed(page: Page) -> int:
    """How many sheets of A4 the page takes."""
    return len(PAGE.findall(page.pdf(format="A4", print_background=True)))


@pytest.mark.parametrize("name", NAMES, ids=["Chinese", "Arabic", "Latin"])
def test_the_page_prints_on_one_sheet_and_light(
    open_page: Open, long_names: Served, tmp_path: Path, name: str
) -> None:
    address = f"/statement?month={MONTH}&by=tenant&unit={quote(name)}"
    page = open_page(address, scheme="dark", at=long_names.address)
    expect(page.locator("article.statement")).to_contain_text("Tenant statement, October 2026")
    expect(page.locator("article.statement")).to_contain_text("is still being clarified")
    with page.expect_download() as started:
        page.get_by_role("button", name="HTML").click()
    assert printed(page) == 1
    page.emulate_media(media="print")
    expect(page.locator("article.statement .name")).to_have_css("color", "rgb(27, 36, 48)")
    expect(page.locator("body")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()

    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    page.emulate_media(media="screen", color_scheme="dark")
    page.goto(file.as_uri())
    assert printed(page) == 1


def test_a_row_and_a_unit_lead_to_the_statement(open_page: Open) -> None:
    page = open_page(f"/tenants?month={MONTH}&at=tenant:acme-corp")
    page.get_by_role("link", name="One-page statement").click()
    expect(page).to_have_url(re.compile(rf"/statement\?.*month={MONTH}.*by=tenant&unit=acme-corp"))
    settled(page)
    expect(page.locator("article.statement .name")).to_have_text("acme-corp")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/tenants\?.*at=tenant"))
