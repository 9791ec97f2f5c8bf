"""A month is closed, restated by a late credit, and that is posted, with the Close page alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.closing.conftest import OCTOBER, SEPTEMBER, Company
from tests.closing.late_credit import deliver_credit, small_company
from tests.e2e.axe import SEEN_AS, findings, look
from tests.e2e.conftest import FAILED, Open, Served, serving, settled
from tests.e2e.test_pages import WIDEST


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return small_company(tmp_path)


@pytest.fixture
def small(environment: dict[str, str], company: Company) -> Iterator[Served]:
    """The app over the small bill, with a ledger of its own, and without AWS."""
    own = {
        f"CHARGEBACK_{name.upper()}": str(company.folder / name)
        for name in ("cur", "store", "ledger")
    }
    rest = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    with serving(rest | own | {"AWS_EC2_METADATA_DISABLED": "true"}) as running:
        yield running


def close(page: Page, month: str) -> None:
    """Writes the note and clicks the button."""
    page.get_by_role("textbox", name="Note").fill("Reconciled to the invoice.")
    page.get_by_role("button", name=f"Close {month}").dblclick()
    expect(page.get_by_text(f"{month} is closed. It can now be sent")).to_be_visible()
    settled(page)


def row(page: Page, table: str, name: str) -> str:
    """A row of a table as one reads it."""
    cells = page.get_by_role("table", name=table).get_by_role("row").filter(has_text=name)
    return " ".join(cells.inner_text().split())


def look_at_it(page: Page) -> None:
    """It fits, in all widths and themes, and can be read by all."""
    expect(page.locator(FAILED)).to_have_count(0)
    for width, scheme in SEEN_AS:
        look(page, width, scheme)
        assert page.evaluate(WIDEST) <= width
        assert findings(page).ours == []
    look(page, *SEEN_AS[0])


def test_a_newcomer_closes_a_month_and_posts_what_comes_late(
    open_page: Open, small: Served, company: Company
) -> None:
    page = open_page("/", at=small.address)
    page.get_by_role("link", name="Close", exact=True).click()
    settled(page)
    page.get_by_role("button", name="September 2026").click()
    expect(page.get_by_role("heading", name="Close September 2026")).to_be_visible()
    look_at_it(page)
    close(page, "September 2026")
    assert row(page, "Months", "September 2026").startswith("September 2026 Closed $160.00")

    deliver_credit(company)
    page.reload()
    # The figures from before stay up until the newer ones are worked out.
    expect(page.get_by_role("table", name="Months")).to_contain_text("Restated")
    settled(page)
    assert "Restated $160.00 -$5.00 Post with October 2026" in row(page, "Months", "September")
    assert row(page, "Changes by tenant", "acme") == "acme -$5.00 Credit $100.00 $95.00"
    look_at_it(page)
    page.get_by_role("button", name="October 2026").click()
    expect(page.get_by_role("heading", name="Adjustments posted with it")).to_be_visible()
    assert row(page, "Adjustments by tenant", "acme").startswith("acme -$5.00 September 2026")
    look_at_it(page)
    close(page, "October 2026")
    assert row(page, "Documents in USD", "Tenant").endswith("$180.00 -$5.00 $175.00")
    assert f"month={OCTOBER}" in page.url

    page.get_by_role("button", name="September 2026").click()
    expect(page.get_by_text("-$5.00 was posted with October 2026.")).to_be_visible()
    assert f"month={SEPTEMBER}" in page.url
