"""Setup says what the program costs: usually, and so far."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from chargeback.billing_period import today
from chargeback.doctor.running_cost import costs_here, usual_costs
from chargeback.formats import month_name
from chargeback.settings import Settings
from chargeback.sources.athena.costs import price
from chargeback.ui.running_cost import COUNTED, TITLE
from chargeback.workspace import Workspace
from tests.pages.conftest import OpenPage, table

TERABYTE = 1024**4


def test_what_was_counted_here_stands_below_what_is_usual(open_page: OpenPage) -> None:
    app = open_page("setup")
    *usual, here = table(app, TITLE)
    calculated = usual_costs(is_store_in_athena=False)
    assert [row["name"] for row in usual] == [each.name for each in calculated]
    for row, each in zip(usual, calculated, strict=True):
        assert abs(row["total"] - each.total) < Decimal("1e-9")
        assert abs(row["athena"] + row["cost_explorer"] + row["s3"] - each.total) < Decimal("1e-9")
    assert here["about"] == f"{month_name(f'{today():%Y-%m}')} so far"
    assert here["s3"] is None
    assert any(text.value.endswith(COUNTED) for text in app.caption)


def test_what_queries_of_this_month_cost_is_counted_here(tmp_path: Path) -> None:
    workspace = Workspace(Settings(cur=tmp_path, store=tmp_path / "store"))
    workspace.athena_costs.add(TERABYTE)
    here = costs_here(workspace, today())
    assert here is not None
    assert here.athena == here.total == price(TERABYTE)
    assert here.s3 is None


def test_a_demo_costs_nothing() -> None:
    assert costs_here(Workspace(Settings()), today()) is None
