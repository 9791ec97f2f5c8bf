"""What an address says, what it may not say, and what goes along to other pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs

import pyarrow as pa
import pytest
from pyarrow import compute, parquet
from streamlit.testing.v1 import AppTest

from chargeback.ui.markdown import plain
from tests.bills import write_manifest_again
from tests.pages.conftest import APP, Bill, OpenPage, table, tables

MONTH = "2026-10"
EUROS = "111122223333"
"""The account that is billed in euros where a bill has two currencies."""


@pytest.fixture
def two_currencies(bill: Bill, tmp_path: Path) -> Bill:
    """The bill, one of its accounts in euros."""
    own = Bill(shutil.copytree(bill.cur, tmp_path / "cur"), tmp_path / "store")
    for file in own.cur.glob("*/data/*/*.parquet"):
        lines = parquet.read_table(file, partitioning=None)
        account = lines["line_item_usage_account_id"].cast(pa.string())
        currency = compute.if_else(compute.equal(account, EUROS), "EUR", "USD")
        at = lines.schema.get_field_index("line_item_currency_code")
        parquet.write_table(lines.set_column(at, "line_item_currency_code", currency), file)
    write_manifest_again(own.cur)
    return own


def said(app: AppTest) -> list[str]:
    return [warning.value for warning in app.warning]


@pytest.mark.parametrize("spelled", ["cost_center", "COST_CENTER", "cost-center", "Cost center"])
def test_a_name_is_taken_however_it_is_spelled(open_page: OpenPage, spelled: str) -> None:
    app = open_page("chargeback", month=MONTH, charge_to=spelled)
    assert app.segmented_control("charge_to").value == "cost_center"
    assert not said(app)


def test_a_split_is_taken_in_any_case(open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at="Tenant:acme-corp", by="MODEL")
    assert app.button_group[0].value == "model"
    assert not said(app)


@pytest.mark.parametrize(
    ("page", "parameters", "value"),
    [
        ("overview", {"trend": "colour"}, "colour"),
        ("chargeback", {"charge_to": "nobody"}, "nobody"),
        ("tenants", {"at": "tenant:acme-corp", "by": "colour"}, "colour"),
        ("tenants", {"by": "model"}, "model"),
        ("models", {"at": "tenant:acme-corp"}, "tenant:acme-corp"),
        ("models", {"team": "no such team"}, "team no such team"),
        ("teams", {"currency": "XXX"}, "XXX"),
        ("teams", {"month": "1999-01"}, "1999-01"),
    ],
)
def test_what_means_nothing_is_said(
    open_page: OpenPage, page: str, parameters: dict[str, str], value: str
) -> None:
    app = open_page(page, **{"month": MONTH, **parameters})
    assert [plain(value) in text for text in said(app)] == [True]


@pytest.mark.parametrize("day", ["0001-01-01", "0999-12-31", "9999-12-31", f"{MONTH}-05"])
@pytest.mark.parametrize("at", ["", "tenant:acme-corp"])
def test_any_day_is_no_failure(open_page: OpenPage, day: str, at: str) -> None:
    app = open_page("tenants", month=MONTH, day=day, **({"at": at} if at else {}))
    assert bool(tables(app)) == day.startswith(MONTH)
    assert bool(app.info) != day.startswith(MONTH)


@pytest.mark.parametrize("page", ["overview", "tenants", "chargeback", "setup"])
def test_the_list_of_pages_keeps_month_currency_and_filters(
    open_page: OpenPage, two_currencies: Bill, page: str
) -> None:
    asked = {"month": MONTH, "currency": "EUR", "team": ["search", "support"]}
    app = open_page(page, bill=two_currencies, trend="team", **asked)
    links = [link.proto.query_string for link in app.sidebar.get("page_link")]
    assert len(links) == len(list((Path(APP).parent / "pages").glob("*.py")))
    kept = {"month": [MONTH], "currency": ["EUR"], "team": ["search", "support"]}
    assert all(parse_qs(link) == kept for link in links)


def test_a_currency_is_always_in_the_address_where_there_are_two(
    open_page: OpenPage, two_currencies: Bill
) -> None:
    app = open_page("overview", bill=two_currencies, month=MONTH)
    assert app.query_params["currency"] == app.selectbox("currency").value
    app.selectbox("currency").set_value("EUR").run()
    assert app.query_params["currency"] == "EUR"
    assert "€" in app.metric[0].value


def test_a_level_that_says_nothing_is_passed_over(open_page: OpenPage) -> None:
    of_team = "(unallocated)"
    asked = open_page("teams", month=MONTH, at=f"team:{of_team}", by="tenant")
    rows = [row["name"] for row in table(asked, "Tenants by spend")]
    app = open_page("teams", month=MONTH, at=f"team:{of_team}")
    assert (rows == ["(unallocated)"]) == (app.button_group[0].value == "principal")


def test_a_crumb_says_of_what_something_is_unallocated(open_page: OpenPage) -> None:
    app = open_page("principals", month=MONTH, at="cost_center:(unallocated)")
    assert f"**{plain('cost center (unallocated)')}**" in [text.value for text in app.markdown]
