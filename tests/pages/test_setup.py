"""Setup says what the program costs: usually, and so far."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.billing_period import today
from chargeback.doctor.running_cost import costs_here, usual_costs
from chargeback.formats import month_name
from chargeback.settings import Settings
from chargeback.sources.athena.costs import price
from chargeback.ui.running_cost import COUNTED, IN_ATHENA, TITLE
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


def draw_over_a_store_in_athena() -> None:
    from chargeback.settings import Settings  # noqa: PLC0415  (a script of its own)
    from chargeback.sources.athena.settings import AthenaSettings  # noqa: PLC0415
    from chargeback.ui import running_cost  # noqa: PLC0415
    from chargeback.workspace import Workspace  # noqa: PLC0415

    table = AthenaSettings(database="billing", table="cur2", store_location="s3://bucket/store/")
    running_cost.draw(Workspace(Settings(athena=table, store="athena")))


def test_the_costs_are_those_of_the_store_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_function(draw_over_a_store_in_athena).run()
    assert not app.exception
    calculated = usual_costs(is_store_in_athena=True)
    for row, each in zip(table(app, TITLE), calculated, strict=False):
        assert abs(row["total"] - each.total) < Decimal("1e-9")
    assert IN_ATHENA in app.caption[0].value


def test_what_queries_of_this_month_cost_is_counted_here(tmp_path: Path) -> None:
    workspace = Workspace(Settings(cur=tmp_path, store=tmp_path / "store"))
    workspace.athena_costs.add(TERABYTE)
    here = costs_here(workspace, today())
    assert here is not None
    assert here.athena == here.total == price(TERABYTE)
    assert here.s3 is None


def test_a_demo_costs_nothing() -> None:
    assert costs_here(Workspace(Settings()), today()) is None
