"""Which units lead is the same whatever month, filter or page asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.reports.answers import Answers
from chargeback.reports.leading import leading_units
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, write_bill

BEFORE = "2026-09"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """In all: gone 50, steady 20 + 20, new 30; in euros only `abroad`."""
    folder: Path = tmp_path_factory.mktemp("leading")
    months = {
        BEFORE: [line("50.00", tenant="gone"), line("20.00", tenant="steady")],
        MONTH: [
            line("20.00", tenant="steady"),
            line("30.00", tenant="new"),
            line("900.00"),
            line("70.00", currency="EUR", tenant="abroad"),
        ],
    }
    cur = write_bill(folder / "cur", months)
    workspace = Workspace(Settings(cur=cur, store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


@pytest.mark.parametrize(
    "view",
    [
        View(MONTH, "USD", EVERYTHING),
        View(BEFORE, "USD", EVERYTHING),
        View(MONTH, "USD", EVERYTHING, days=3),
        View(MONTH, "USD", EVERYTHING, (("tenant", ("new",)),)),
    ],
)
def test_neither_month_nor_filter_decides(answers: Answers, view: View) -> None:
    assert leading_units(answers, view, "tenant", 9) == ["gone", "steady", "new"]


def test_no_more_than_asked_for_and_only_of_the_currency(answers: Answers) -> None:
    view = View(MONTH, "USD", EVERYTHING)
    assert leading_units(answers, view, "tenant", 2) == ["gone", "steady"]
    euros = View(MONTH, "EUR", EVERYTHING)
    assert leading_units(answers, euros, "tenant", 9) == ["abroad"]
