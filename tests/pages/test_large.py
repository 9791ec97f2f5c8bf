"""A month of forty thousand tenants and sessions: every page opens and shows the largest."""

from __future__ import annotations

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.formats import money
from chargeback.reports.ranking import TOLD_APART
from chargeback.ui.filters import OFFERED
from chargeback.ui.markdown import plain
from chargeback.ui.tables import LONGEST
from tests.pages.conftest import Bill, OpenPage, Row, drawn, rows, table, tables, total
from tests.pages.large_bill import UNTAGGED, write_large_bill

LINES = 40_000
MONTH = "2026-10"
ROLE = "principal:arn:aws:iam::111122223333:role/App"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """One line for each tenant and session."""
    folder = tmp_path_factory.mktemp("large")
    write_large_bill(folder / "cur", LINES)
    return Bill(folder / "cur", folder / "store")


def cost_of(numbers: range) -> Decimal:
    """What these lines cost: line n 0.01 and n millionths."""
    return sum((Decimal(10_000 + n) for n in numbers), Decimal()) / 1_000_000


def others(app: AppTest, what: str) -> Row:
    """The row for all that are left out."""
    found = drawn(app, what)
    (place,) = found["closed"]
    return rows(found)[int(place)]


def named(numbers: range) -> str:
    return f"{len(numbers):,} others, in the CSV"


@pytest.mark.parametrize("page", ["overview", "teams", "models", "reconciliation", "setup"])
def test_a_page_without_long_tables_opens(open_page: OpenPage, large: Bill, page: str) -> None:
    app = open_page(page, bill=large, month=MONTH)
    assert tables(app)
    assert not app.error


def test_tenants_are_cut_and_unallocated_stays_last(open_page: OpenPage, large: Bill) -> None:
    app = open_page("tenants", bill=large, month=MONTH)
    names = [row["name"] for row in table(app, "Tenants by spend")]
    largest = [f"tenant-{n}" for n in range(LINES - 1, LINES - LONGEST, -1)]
    rest = range(UNTAGGED, LINES - LONGEST + 1)
    assert names == [*largest, named(rest), "(unallocated)"]
    assert others(app, "Tenants by spend")["cost"] == cost_of(rest)
    assert total(drawn(app, "Tenants by spend"))["cost"] == cost_of(range(LINES))


def test_sessions_of_a_role_are_cut(open_page: OpenPage, large: Bill) -> None:
    app = open_page("principals", bill=large, month=MONTH, by="iam_principal", at=ROLE)
    assert len(table(app, "Callers by spend")) == TOLD_APART + 1
    rest = range(LINES - TOLD_APART)
    assert others(app, "Callers by spend")["name"] == f"{len(rest):,} other callers"
    assert others(app, "Callers by spend")["cost"] == cost_of(rest)
    assert total(drawn(app, "Callers by spend"))["cost"] == cost_of(range(LINES))
    assert f"{LINES:,} callers" in [caption.value for caption in app.caption]


def test_a_long_statement_is_cut_and_ties(open_page: OpenPage, large: Bill) -> None:
    app = open_page("chargeback", bill=large, month=MONTH)
    shown = table(app, "Statement")
    assert len(shown) == LONGEST + 1
    assert shown[-1]["name"] == "(unallocated)"
    assert shown[-2]["name"] == named(range(LINES - UNTAGGED + 1 - LONGEST))
    charged = sum(row["total_charge"] for row in shown)
    assert charged == cost_of(range(LINES)).quantize(Decimal("0.01"))
    assert money(cost_of(range(LINES)), "USD").strip("$") in app.success[0].value


def test_lines_of_a_role_are_shown_a_page_at_a_time(open_page: OpenPage, large: Bill) -> None:
    app = open_page("principals", bill=large, month=MONTH, by="lines", at=ROLE)
    assert len(rows(tables(app)[0])) == 200
    assert f"of {LINES:,}, newest first" in "".join(caption.value for caption in app.caption)


def test_a_filter_offers_the_largest_and_what_is_asked_for(
    open_page: OpenPage, large: Bill
) -> None:
    app = open_page("overview", bill=large, month=MONTH, tenant="tenant-200")
    offered = app.multiselect("tenant").options
    assert len(offered) == OFFERED + 1
    assert f"tenant-{LINES - 1}" in offered
    assert app.multiselect("tenant").value == ["tenant-200"]
    assert app.metric[0].value == plain(money(cost_of(range(200, 201)), "USD"))
