"""Pages beside those of test_pages as axe-core reads them, and all controls by keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.axe import SEEN_AS, STREAMLITS, findings, look
from tests.e2e.conftest import Open

MONTH = "month=2026-10"
PATHS = (
    f"/owners?{MONTH}",
    f"/tenants?{MONTH}&at=tenant:acme-corp",
    f"/coverage?{MONTH}&to=cost_center&reason=no-tag",
)
MARK = """
    () => {
        const controls = [...document.querySelectorAll(
            "a[href], button:enabled, input:enabled, textarea, summary"
        )].filter(control => control.tabIndex >= 0
            && control.checkVisibility({visibilityProperty: true, opacityProperty: true})
            // Of a group of choices the chosen one is reached; arrows lead to the others.
            && (control.role !== "radio" || control.ariaChecked === "true"));
        controls.forEach((control, number) => { control.dataset.number = number; });
        return controls.map(control => control.textContent || control.ariaLabel);
    }
"""
"""Numbers the controls; their names."""
FOCUSED = "() => Number(document.activeElement.dataset.number ?? -1)"


def test_axe_finds_nothing_but_what_is_streamlits(open_page: Open) -> None:
    found = []
    for path in PATHS:
        page = open_page(path)
        for width, scheme in SEEN_AS:
            look(page, width, scheme)
            found.append(findings(page))
    assert [each.ours for each in found] == [[]] * len(PATHS) * len(SEEN_AS)
    # What Streamlit mends needs no exception any more.
    assert set().union(*(each.streamlits for each in found)) == set(STREAMLITS)


def test_the_keyboard_reaches_every_control(open_page: Open) -> None:
    page = open_page(f"/chargeback?{MONTH}")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    names = page.evaluate(MARK)
    for name in ("Month before", "Billing period", "Tenants", "Detail (CSV)"):
        assert any(name in each for each in names), name
    reached = set()
    for _ in range(2 * len(names)):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    assert [name for number, name in enumerate(names) if number not in reached] == []
