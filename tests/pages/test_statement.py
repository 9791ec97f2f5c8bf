"""The Statement page: what it shows is what its files hold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.cli.common import statements_now
from chargeback.closing.handed import gathered
from chargeback.settings import Settings
from chargeback.statement.unit_html import fragment
from chargeback.statement.unit_statement import UnitStatement
from chargeback.workspace import Workspace
from tests.pages.conftest import Bill, OpenPage, table

MONTH = "2026-10"


def statement_of(bill: Bill, by: str, unit: str) -> UnitStatement:
    workspace = Workspace(Settings(cur=bill.cur, store=bill.store))
    found = gathered(statements_now(workspace), MONTH, by, unit)
    (charge,) = found.find(unit)
    return found.of(charge)


def drawn(app: AppTest) -> list[str]:
    """The statements on the page."""
    bodies = [each.proto.body for each in app.get("html")]
    return [body for body in bodies if "<article" in body]


@pytest.mark.parametrize(
    ("by", "unit"),
    [("tenant", "acme-corp"), ("team", "(unallocated)"), ("tenant", "<b>Globex</b>")],
)
def test_the_page_shows_what_the_file_holds(
    open_page: OpenPage, bill: Bill, by: str, unit: str
) -> None:
    app = open_page("statement", month=MONTH, by=by, unit=unit)
    assert [each.value for each in app.header] == ["Statement, October 2026"]
    assert drawn(app) == [fragment(statement_of(bill, by, unit)).strip()]
    assert not app.warning


def test_its_charge_is_the_raw_bills(open_page: OpenPage, bill: Bill) -> None:
    charge = bill.total(MONTH, "tags['iamPrincipal/tenant'] = 'acme-corp'")
    (shown,) = drawn(open_page("statement", month=MONTH, by="tenant", unit="acme-corp"))
    assert f"<dd>${charge.quantize(Decimal('0.01')):,}</dd>" in shown


def test_without_a_unit_there_is_a_choice(open_page: OpenPage, bill: Bill) -> None:
    app = open_page("statement", month=MONTH, by="team")
    assert drawn(app) == []
    rows = table(app, "Statements")
    assert rows[-1]["name"] == "(unallocated)"
    total = sum(Decimal(str(row["charge"])) for row in rows)
    assert total == bill.total(MONTH).quantize(Decimal("0.01"))


def test_another_unit_and_another_kind_are_in_the_address(open_page: OpenPage) -> None:
    app = open_page("statement", month=MONTH, by="tenant")
    app.selectbox("unit-tenant-None").set_value("bluefin-bank").run()
    assert app.query_params["unit"] == "bluefin-bank"
    assert len(drawn(app)) == 1
    app.segmented_control("kind-tenant").set_value("model").run()
    assert app.query_params["by"] == "model"
    assert "unit" not in app.query_params
    assert table(app, "Statements")


def test_a_unit_that_is_none_is_said(open_page: OpenPage) -> None:
    app = open_page("statement", month=MONTH, by="team", unit="none *such*")
    assert [each.value for each in app.warning] == [
        "Nothing is charged to the team none \\*such\\* in October 2026."
    ]
    assert table(app, "Statements")


def test_its_files_are_offered_and_all_of_the_month(open_page: OpenPage) -> None:
    app = open_page("statement", month=MONTH, by="team", unit="search")
    labels = [getattr(each, "label", "") for each in app.get("download_button")]
    assert labels == ["HTML", "Workbook (XLSX)"]
    (every,) = (each for each in app.button if "(ZIP)" in each.label)
    every.click().run()
    labels = [getattr(each, "label", "") for each in app.get("download_button")]
    assert "Save statements-team-2026-10.zip" in labels


def test_filters_do_not_narrow_a_statement(open_page: OpenPage) -> None:
    whole = drawn(open_page("statement", month=MONTH, by="team", unit="search"))
    app = open_page("statement", month=MONTH, by="team", unit="search", account="111122223333")
    assert drawn(app) == whole
    assert any("filters do not apply" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("page", "parameters", "by", "unit"),
    [
        ("tenants", {"at": "tenant:acme-corp"}, "tenant", "acme-corp"),
        ("cost_centers", {"at": "cost_center:CC-1010"}, "cost_center", "CC-1010"),
        ("models", {"at": "model:Nova Pro"}, "model", "Nova Pro"),
    ],
)
def test_a_unit_leads_to_its_statement(
    open_page: OpenPage, page: str, parameters: dict[str, str], by: str, unit: str
) -> None:
    app = open_page(page, month=MONTH, **parameters)
    links = [each.proto for each in app.get("page_link")]
    (link,) = (each for each in links if each.label == "One-page statement")
    assert link.page == "statement"
    assert f"by={by}" in link.query_string
    assert unit.replace(" ", "+") in link.query_string
