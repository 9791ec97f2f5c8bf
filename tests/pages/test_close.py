"""The Close page: whoever may closes and reopens months, and posts what has changed since."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from chargeback.closing.book import Book
from chargeback.ui.markdown import plain
from tests.bills import line
from tests.closing.conftest import OCTOBER, SEPTEMBER, Company, nowhere
from tests.closing.late_credit import LINES, deliver_credit, small_company
from tests.pages.conftest import Bill, OpenPage, drawn, table, total

__all__ = ["nowhere"]

NOTE = "Reconciled to invoice INV-1."
Open = Callable[..., AppTest]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return small_company(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, open_page: OpenPage, company: Company) -> Open:
    """Opens a page of the small bill, as a browser that comes first."""
    monkeypatch.setenv("CHARGEBACK_LEDGER", str(company.folder / "ledger"))
    own = Bill(company.folder / "cur", company.folder / "store")
    return lambda page="close", **parameters: open_page(page, bill=own, **parameters)


def book(company: Company) -> Book:
    return company.statements().book


def button(app: AppTest, key: str) -> Any:  # noqa: ANN401 -- a button
    return next(each for each in app.button if each.key == key)


def keys(app: AppTest) -> set[str]:
    return {str(each.key) for each in app.button}


def said(app: AppTest, kind: str) -> str:
    """All that a page says in boxes of a kind, as readers see it."""
    return "\n".join(each.value.replace("\\", "") for each in getattr(app, kind))


def states(app: AppTest) -> dict[Any, tuple[Any, Any]]:
    return {row["name"]: (row["state"], row["next"]) for row in table(app, "Months")}


def with_note(app: AppTest, month: str = SEPTEMBER) -> AppTest:
    app.text_area(f"note-{month}").set_value(NOTE)
    return app.run()


def changed_behind(app: AppTest) -> AppTest:
    """The app looks at its bill and settings anew, as it does from time to time."""
    st.cache_resource.clear()
    st.cache_data.clear()
    return app


def test_a_month_is_closed_with_a_note(opened: Open, company: Company) -> None:
    app = opened(month=SEPTEMBER)
    assert states(app) == {
        "October 2026": ("Invoiced", "Close"),
        "September 2026": ("Invoiced", "Close"),
    }
    # Of LINES: acme, globex and (unallocated); CC-1, CC-2 and (unallocated).
    assert [(row["documents"], row["due"]) for row in table(app, "Documents in USD")] == [
        (3, 160),
        (3, 160),
    ]
    app = button(app, f"close-{SEPTEMBER}").click().run()
    assert "A month is closed with a note." in said(app, "error")
    assert not book(company).closed
    app = button(with_note(app), f"close-{SEPTEMBER}").click().run()
    assert "September 2026 is closed." in said(app, "success")
    (closed,) = book(company).closed
    assert (closed.month, closed.record.note) == (SEPTEMBER, NOTE)
    assert closed.record.who == "this machine"
    assert states(app) == {
        "October 2026": ("Invoiced", "Close"),
        "September 2026": ("Closed", "–"),
    }
    assert f"close-{SEPTEMBER}" not in keys(app)
    assert ":material/lock: Closed" in app.markdown[0].value
    offered = [each.label for each in app.get("download_button")]
    export = ["Statement (CSV)", "Detail (CSV)", "Manifest (JSON)", "Workbook (XLSX)"]
    by_unit = [*export, "One-page statements (ZIP)"]
    assert offered == [*by_unit, *by_unit, "Everything (ZIP)", "FOCUS 1.3 (ZIP)"]


def test_the_next_month_comes_first(opened: Open, company: Company) -> None:
    company.close(OCTOBER)
    app = opened(month=SEPTEMBER)
    assert "October 2026 is closed. Months are closed in order" in said(app, "info")
    assert states(app)["September 2026"] == ("Invoiced", "–")
    assert not app.text_area


def test_a_month_that_is_not_over_says_when_it_is(open_page: OpenPage, open_bill: Bill) -> None:
    app = open_page("close", bill=open_bill)
    assert "is not over. It can be closed from 1 " in said(app, "info")
    assert not app.text_area
    assert table(app, "Months")[0]["state"] == "Open"


def test_what_stands_in_the_way_is_overridden_by_name(
    monkeypatch: pytest.MonkeyPatch, opened: Open, company: Company
) -> None:
    # 10.00 of 160.00 names nobody, which is more than a twentieth.
    monkeypatch.setenv("CHARGEBACK_CLOSE__UNALLOCATED_LIMIT", "0.05")
    app = with_note(opened(month=SEPTEMBER))
    shown = "\n".join(each.value.replace("\\", "") for each in app.markdown)
    assert "$10.00 (6.3 %) is charged to no tenant" in shown
    assert "$10.00 (6.3 %) is charged to no cost center" in shown
    assert button(app, f"close-{SEPTEMBER}").disabled
    (despite,) = app.checkbox  # one for both kinds of unit
    app = despite.check().run()
    app = button(app, f"close-{SEPTEMBER}").click().run()
    (closed,) = book(company).closed
    assert {each.code for each in closed.record.despite} == {"unallocated-limit"}
    assert "Closed despite: $10.00 (6.3 %) is charged to no tenant" in said(app, "warning")
    assert "Closed despite" in said(opened("chargeback", month=SEPTEMBER), "warning")


def test_only_what_was_shown_is_closed(opened: Open, company: Company) -> None:
    app = with_note(opened(month=SEPTEMBER))
    deliver_credit(company)
    app = button(changed_behind(app), f"close-{SEPTEMBER}").click().run()
    assert "has changed since you looked: nothing was closed" in said(app, "warning")
    assert not book(company).closed
    assert {row["due"] for row in table(app, "Documents in USD")} == {Decimal(155)}
    button(app, f"close-{SEPTEMBER}").click().run()
    assert book(company).require(SEPTEMBER).record.bill == {"USD": Decimal(155)}


def test_the_second_of_two_people_is_told(opened: Open, company: Company) -> None:
    app = with_note(opened(month=SEPTEMBER))
    company.close(SEPTEMBER)
    app = button(app, f"close-{SEPTEMBER}").click().run()
    assert "September 2026 was closed by ann" in said(app, "info")
    assert [each.kind for each in book(company).entries] == ["close"]


def test_a_click_that_comes_twice_closes_once(opened: Open, company: Company) -> None:
    app = with_note(opened(month=SEPTEMBER))
    app = button(app, f"close-{SEPTEMBER}").click().run()
    app.session_state["clicked to close"] = "what was shown beside the first click"
    app = app.run()
    assert "September 2026 was closed by this machine" in said(app, "info")
    assert len(book(company).entries) == 1


def test_who_may_not_change_anything_finds_no_way(
    monkeypatch: pytest.MonkeyPatch, opened: Open, company: Company
) -> None:
    company.close(SEPTEMBER)
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    for month, can_not in ((SEPTEMBER, "not reopen it"), (OCTOBER, "not close it")):
        app = opened(month=month)
        assert not app.text_area
        assert not app.text_input
        assert not app.checkbox
        assert not {key for key in keys(app) if key.startswith(("close-", "reopen-"))}
        assert can_not in said(app, "info")
        assert "On pages nobody may" in said(app, "info")


@pytest.mark.parametrize("act", ["close", "reopen"])
def test_a_message_that_no_button_may_send_any_more_is_refused(
    monkeypatch: pytest.MonkeyPatch, opened: Open, company: Company, act: str
) -> None:
    if act == "reopen":
        company.close(SEPTEMBER)
    app = opened(month=SEPTEMBER)
    before = len(book(company).entries)
    if act == "reopen":
        app = app.checkbox[0].check().run()
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    app = button(changed_behind(app), f"{act}-{SEPTEMBER}").click().run()
    assert f"You may not do this: {act} {SEPTEMBER}." in said(app, "error")
    assert len(book(company).entries) == before
    changes = company.settings.open_ledger().changes()
    assert [each["what"] for each in changes][-1] == f"refused: {act} {SEPTEMBER}"


def test_a_restated_month_is_told_everywhere_and_posted_with_the_next(
    opened: Open, company: Company
) -> None:
    company.close(SEPTEMBER)
    deliver_credit(company)
    app = opened(month=SEPTEMBER)
    assert states(app)["September 2026"] == ("Restated", "Post with October 2026")
    assert "The bill has changed since this month was closed: -$5.00" in said(app, "info")
    causes = {row["name"]: row["difference"] for row in table(app, "Changes by cause")}
    assert causes == {"Credit": Decimal("-5"), "Unchanged": 0}
    (row,) = table(app, "Changes by tenant")
    # Of LINES and CREDIT.
    assert row == {
        "name": "acme",
        "closed": Decimal(100),
        "now": Decimal(95),
        "difference": Decimal(-5),
        "causes": "Credit",
    }
    assert total(drawn(app, "Changes by cause"))["now"] == 155

    tenants = opened("tenants", month=SEPTEMBER)
    assert any(
        "Closed at $160.00" in each.value.replace("\\", "")
        and "the bill now comes to $155.00" in each.value.replace("\\", "")
        for each in tenants.caption
    )
    app = opened(month=OCTOBER)
    (row,) = table(app, "Adjustments by tenant")
    document = book(company).require(SEPTEMBER).documents("tenant").documents[0]
    assert row["bill_to"] == document.bill_to == "acme"
    assert (row["amount"], row["cause"]) == (Decimal("-5"), "Credit")
    assert row["document"] == document.document_id
    # 180.00 of October less the credit.
    assert {row["due"] for row in table(app, "Documents in USD")} == {Decimal(175)}
    button(with_note(app, OCTOBER), f"close-{OCTOBER}").click().run()
    app = opened(month=SEPTEMBER)
    assert states(app)["September 2026"] == ("Restated", "Nothing left to post")
    shown = "\n".join(each.value.replace("\\", "") for each in app.markdown)
    assert "-$5.00 was posted with October 2026." in shown


def test_what_is_not_posted_is_said(
    monkeypatch: pytest.MonkeyPatch, opened: Open, company: Company
) -> None:
    monkeypatch.setenv("CHARGEBACK_CLOSE__POST_ATTRIBUTION", "false")
    company.close(SEPTEMBER)
    tagged = line("10", tenant="globex", cost_center="CC-2")
    company.deliver({SEPTEMBER: [*LINES[SEPTEMBER][:2], tagged]})
    app = opened(month=SEPTEMBER)
    assert states(app)["September 2026"] == ("Restated", "Nothing left to post")
    shown = "\n".join(each.value.replace("\\", "") for each in app.markdown)
    assert "$10.00 is charged to other units now. It is not posted" in shown
    units = {row["name"]: row["difference"] for row in table(app, "Changes by tenant")}
    assert units == {"globex": Decimal(10), "(unallocated)": Decimal(-10)}
    assert "none of the difference is posted" in said(app, "info")


def test_only_the_newest_month_is_reopened_with_a_reason(opened: Open, company: Company) -> None:
    company.close(SEPTEMBER)
    company.close(OCTOBER)
    app = opened(month=SEPTEMBER)
    assert f"reopen-{SEPTEMBER}" not in keys(app)
    assert any("Only the newest closed month, October 2026" in each.value for each in app.caption)
    app = opened(month=OCTOBER)
    assert button(app, f"reopen-{OCTOBER}").disabled
    app = app.checkbox[0].check().run()
    app = button(app, f"reopen-{OCTOBER}").click().run()
    assert "A month is reopened with a reason." in said(app, "error")
    app.text_input[0].set_value("Wrong owner of the gateway.")
    app = button(app, f"reopen-{OCTOBER}").click().run()
    assert "October 2026 is open again." in said(app, "success")
    assert [each.month for each in book(company).closed] == [SEPTEMBER]
    assert states(app)["October 2026"] == ("Invoiced", "Close")


def test_chargeback_shows_a_closed_month_as_it_was_closed(opened: Open, company: Company) -> None:
    company.close(SEPTEMBER)
    deliver_credit(company)
    app = opened("chargeback", month=SEPTEMBER)
    assert "Closed by ann on " in said(app, "success")
    assert "the bill of $160.00" in said(app, "success")
    documents = book(company).require(SEPTEMBER).documents("tenant").documents
    assert {row["name"]: row["document"] for row in table(app, "Statement")} == {
        each.bill_to: each.document_id for each in documents
    }
    assert "adjustment" not in table(app, "Statement")[0]
    labels = {each.label for each in app.get("download_button") if hasattr(each, "label")}
    assert "Workbook (XLSX)" in labels
    assert "Workbook with detail (ZIP)" not in labels
    assert "Try other rules" not in {each.label for each in app.expander}
    assert not any("provisional" in each.value for each in app.caption)


def test_chargeback_shows_what_an_open_month_will_post(opened: Open, company: Company) -> None:
    company.close(SEPTEMBER)
    deliver_credit(company)
    app = opened("chargeback", month=OCTOBER, unit="acme")
    assert (
        "Includes provisional adjustments of September 2026 (-$5.00), posted when October 2026 is "
        "closed."
    ) in said(app, "info")
    rows = {row["name"]: row for row in table(app, "Statement")}
    assert (rows["acme"]["adjustment"], rows["acme"]["due"]) == (Decimal("-5"), Decimal(115))
    foot = total(drawn(app, "Statement"))
    amounts = [str(foot[name]) for name in ("total_charge", "adjustment", "due")]
    assert amounts == ["180", "-5", "175"]
    assert [row["amount"] for row in table(app, "Adjustments")] == [Decimal("-5")]


def test_other_rules_than_those_of_the_close_are_told(
    monkeypatch: pytest.MonkeyPatch, opened: Open, company: Company
) -> None:
    company.close(SEPTEMBER)
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION__TENANT", '["iamPrincipal/team"]')
    told = [each.value for each in opened("tenants", month=SEPTEMBER).caption]
    assert any("under other rules" in each for each in told)
    app = opened("chargeback", month=SEPTEMBER)
    assert {row["name"] for row in table(app, "Statement")} == {"acme", "globex", "(unallocated)"}
    assert not any("under other rules" in each.value for each in app.caption)


def test_hostile_text_stays_text(opened: Open, company: Company) -> None:
    hostile = "<b>x</b> [a](http://x.org) :material/home:"
    app = opened(month=SEPTEMBER)
    app.text_area(f"note-{SEPTEMBER}").set_value(hostile)
    app = button(app, f"close-{SEPTEMBER}").click().run()
    assert any(plain(hostile) in each.value for each in app.markdown)
    assert table(app, "Months")[1]["note"].startswith("<b>x</b>")


def test_a_month_with_open_questions_is_provisional(opened: Open, company: Company) -> None:
    company.deliver({OCTOBER: [*LINES[OCTOBER], line("1", invoice="")]})
    app = opened(month=OCTOBER)
    assert states(app)["October 2026"] == ("Provisional", "Check, then close")
    assert "Not on an invoice yet: 1 CUR line with a cost." in said(app, "info")


def test_a_ledger_that_can_not_be_read_takes_no_page_of_the_bill_down(
    opened: Open, company: Company
) -> None:
    company.close(SEPTEMBER)
    entry = company.folder / "ledger" / "entries" / "000001.json"
    entry.write_text("{}", "utf-8")
    overview = opened("overview", month=SEPTEMBER)
    assert "The ledger's entry entries/000001.json is missing" in said(overview, "warning")
    assert overview.metric
    for page in ("chargeback", "statement", "close"):
        app = opened(page, month=SEPTEMBER)
        assert "The ledger's entry entries/000001.json is missing" in said(app, "error")
        assert not app.get("download_button")


def test_a_journal_needs_accounts_and_is_given_once_they_are_there(
    opened: Open, company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    company.close(SEPTEMBER)
    accounts = tmp_path / "accounts.csv"
    monkeypatch.setenv("CHARGEBACK_JOURNAL__CLEARING_ACCOUNT", "6500")
    monkeypatch.setenv("CHARGEBACK_JOURNAL__ACCOUNTS", str(accounts))
    app = opened(month=SEPTEMBER)
    app.selectbox("journal-profile").set_value("generic").run()
    assert "accounts.csv" in said(app, "error")
    accounts.write_text("bill_to,account\nacme,1\nglobex,2\n(unallocated),3\n", "utf-8")
    app.run()
    assert not app.error
    offered = [each.proto.label for each in app.get("download_button")]
    assert f"journal-generic-tenant-{SEPTEMBER}.csv" in offered


def test_an_open_month_is_estimated_on_request(opened: Open) -> None:
    app = opened(month=OCTOBER)
    assert not any(
        "is estimated" in each.value or "nothing is estimated" in each.value
        for each in app.markdown
    )
    app.toggle(f"accrual-{OCTOBER}").set_value(True).run()
    assert any(
        "is estimated" in each.value or "nothing is estimated" in each.value
        for each in app.markdown
    )
    assert "Accrual (CSV)" in [each.proto.label for each in app.get("download_button")]
