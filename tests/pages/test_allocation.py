"""The Chargeback page under rules: what moved, whose charge it is made of, and what if."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.bills import MONTH, line, write_bill
from tests.pages.conftest import Bill, OpenPage, table

GATEWAY = "arn:aws:sts::111122223333:assumed-role/llm-gateway/i-1"
RULES = {
    "tax": "usage",
    "rules": [
        {
            "id": "gateway",
            "name": "Gateway *traffic*",
            "for": ["tenant"],
            "take": {"principal": "arn:aws:iam::*:role/llm-gateway"},
            "by": "direct cost",
        },
        {"id": "old", "name": "Forgotten", "take": {"model": "none such"}, "by": "even"},
    ],
}


@pytest.fixture
def shop(tmp_path: Path) -> Bill:
    lines = [
        line("30.00", tenant="acme"),
        line("10.00", tenant="globex"),
        line("8.00", principal=GATEWAY),
        line("4.80", "Tax"),
    ]
    return Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")


@pytest.fixture
def page(open_page: OpenPage, shop: Bill, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CHARGEBACK_ALLOCATION", json.dumps(RULES))
    return open_page("chargeback", bill=shop, month=MONTH, unit="acme")


def rows(app: AppTest, what: str, key: str, *columns: str) -> dict[str, tuple[object, ...]]:
    return {
        str(row[key]): tuple(
            Decimal(str(row[name])) if not isinstance(row[name], str) else row[name]
            for name in columns
        )
        for row in table(app, what)
    }


def test_billed_and_charged_stand_side_by_side(page: AppTest) -> None:
    found = rows(page, "Statement", "name", "direct", "total_charge")
    assert found == {
        "acme": (30, 39),
        "globex": (10, 13),
        "(unallocated)": (Decimal("12.8"), Decimal("0.8")),
    }
    assert page.success[0].value == (
        "\\$52.00 charged to 2 tenants, \\$0.80 unallocated\\: the bill of \\$52.80."
    )


def test_a_units_charge_opens_into_its_parts(page: AppTest) -> None:
    found = table(page, "Parts of the charge")
    assert [(row["why"], row["column"], row["other_unit"]) for row in found] == [
        ("Its own lines", "Usage", ""),
        ("Tax follows usage", "Tax", "(unallocated)"),
        ("Gateway *traffic*", "Shared", "(unallocated)"),
    ]
    assert sum(Decimal(str(row["amount"])) for row in found) == 39


def test_each_pool_is_shown_before_and_after(page: AppTest) -> None:
    found = rows(page, "What moved, by rule", "rule", "pool", "moved", "stays")
    assert found == {
        "Tax follows usage": (Decimal("4.8"), 4, Decimal("0.8")),
        "Gateway *traffic*": (8, 8, 0),
    }


def test_a_rule_that_takes_nothing_is_said(page: AppTest) -> None:
    assert ["Forgotten" in each.value for each in page.info].count(True) == 1


def test_other_rules_are_tried_and_nothing_is_saved(page: AppTest) -> None:
    page.text_area("rules-to-try").set_value('tax = "usage"\n')
    next(each for each in page.button if each.label == "Try these rules").click().run()
    found = rows(page, "Charges with these rules", "unit", "now", "then", "difference")
    assert found["acme"] == (39, 33, -6)
    assert found["(unallocated)"] == (Decimal("0.8"), Decimal("8.8"), 8)
    assert rows(page, "Statement", "name", "total_charge")["acme"] == (39,)


@pytest.mark.parametrize(
    ("text", "said"),
    [("tax = usage", "not valid TOML"), ('tax = "half"', "not allowed\\: tax")],
)
def test_rules_that_are_none_are_refused(page: AppTest, text: str, said: str) -> None:
    page.text_area("rules-to-try").set_value(text)
    next(each for each in page.button if each.label == "Try these rules").click().run()
    assert said in page.error[-1].value
    assert table(page, "Statement")


def test_the_moves_can_be_downloaded(page: AppTest) -> None:
    labels = [getattr(each, "label", "") for each in page.get("download_button")]
    assert "Allocation (CSV)" in labels


def test_a_month_of_two_currencies_shows_what_moved_in_each(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        line("30.00", tenant="acme"),
        line("10.00", principal=GATEWAY),
        line("20.00", tenant="acme", currency="EUR"),
        line("5.00", principal=GATEWAY, currency="EUR"),
    ]
    bill = Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")
    monkeypatch.setenv("CHARGEBACK_ALLOCATION", json.dumps(RULES))
    app = open_page("chargeback", bill=bill, month=MONTH, unit="acme")
    assert not app.exception
    headings = [each.value for each in app.subheader]
    assert headings.count("How acme is charged") == 2
    assert headings.count("What moved") == 2
