"""The Chargeback page: the statement that is exported, against the raw bill and the files."""

from __future__ import annotations

import csv
from collections.abc import Hashable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1.element_tree import DownloadButton

from chargeback.billing_period import today
from chargeback.cli.common import statements_now
from chargeback.settings import Settings
from chargeback.statement.export import file_names
from chargeback.ui.downloads import export_file
from chargeback.workspace import Workspace
from tests.bills import exported, whole
from tests.pages.conftest import Bill, OpenPage, drawn, table, total

MONTH = "2026-10"
TAG = """
    list_filter(
        map_entries(tags),
        lambda tag: lower(tag.key) = 'iamprincipal/{}' AND tag.value <> ''
    )[1].value
"""
UNITS = {
    "tenant": TAG.format("tenant"),
    "team": TAG.format("team"),
    "principal": "NULLIF(line_item_iam_principal, '')",
    "cost_center": TAG.format("cost-center"),
}
"""Where the raw bill names each unit."""
CENT = Decimal("0.01")
MONEY = (
    "usage_cost",
    "discount_amount",
    "credit_amount",
    "refund_amount",
    "tax_amount",
    "other_amount",
    "shared_cost",
    "total_charge",
)
"""Of the statement's file (DESIGN, "The export")."""


def billed_to(row: dict[Hashable, Any]) -> str:
    """The unit as the file has it: beside the name where that is another."""
    return str(row.get("bill_to", row["name"]))


@pytest.mark.parametrize("by", UNITS)
def test_the_statement_on_the_page_is_the_one_in_the_file(
    open_page: OpenPage, bill: Bill, tmp_path: Path, by: str
) -> None:
    app = open_page("chargeback", month=MONTH)
    app.segmented_control("charge_to").set_value(by).run()
    shown = table(app, "Statement")
    workspace = Workspace(Settings(cur=bill.cur, store=bill.store))
    file = exported(workspace.answers(), whole(MONTH), by, today(), tmp_path).statement
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig", newline="")))
    # The file is in the order of names, the page in that of amounts; nobody comes last in both.
    rows[:-1] = sorted(rows[:-1], key=lambda row: (-Decimal(row["total_charge"]), row["bill_to"]))
    used = [name for name in MONEY if any(Decimal(row[name]) for row in rows)]
    assert [name for name in MONEY if name in shown[0]] == used
    amounts = [[Decimal(row[name]) for name in used] for row in rows]
    assert amounts == [[row[name] for name in used] for row in shown]
    sums = [sum(column) for column in zip(*amounts, strict=True)]
    total_row = total(drawn(app, "Statement"))
    assert sums == [total_row[name] for name in used]
    assert total_row["total_charge"] == bill.total(MONTH).quantize(CENT)
    assert list(map(billed_to, shown)) == [row["bill_to"].removeprefix("'") for row in rows]
    assert shown[-1]["name"] == "(unallocated)"


@pytest.mark.parametrize("by", UNITS)
def test_each_unit_is_charged_what_its_lines_cost(open_page: OpenPage, bill: Bill, by: str) -> None:
    app = open_page("chargeback", month=MONTH)
    app.segmented_control("charge_to").set_value(by).run()
    statement = table(app, "Statement")
    charged = {billed_to(row): Decimal(str(row["total_charge"])) for row in statement}
    rows = bill.ask(
        f"SELECT COALESCE({UNITS[by]}, '(unallocated)') AS unit, SUM(cost) "  # noqa: S608
        "FROM bedrock WHERE billing_period = ? GROUP BY unit",
        MONTH,
    )
    exact = dict(rows)
    assert charged.keys() == exact.keys()
    assert all(abs(charged[unit] - exact[unit]) < CENT for unit in exact)
    assert sum(charged.values()) == bill.total(MONTH).quantize(CENT)


@pytest.mark.parametrize("by", ["tenant", "principal"])
def test_the_buttons_offer_the_files_of_an_export(
    open_page: OpenPage, bill: Bill, tmp_path: Path, by: str
) -> None:
    app = open_page("chargeback", month=MONTH)
    app.segmented_control("charge_to").set_value(by).run()
    buttons = app.get("download_button")
    offered = [button.label for button in buttons if isinstance(button, DownloadButton)]
    assert offered == [
        "Statement (CSV)",
        "Detail (CSV)",
        "Manifest (JSON)",
        "Workbook (XLSX)",
        "Workbook with detail (ZIP)",
    ]
    workspace = Workspace(Settings(cur=bill.cur, store=bill.store))
    statements = statements_now(workspace)
    exported(workspace.answers(), whole(MONTH), by, today(), tmp_path)
    for name in file_names(MONTH, by):
        assert export_file(statements, MONTH, by, name) == (tmp_path / name).read_bytes()


def test_its_total_is_the_raw_bill_in_cents(open_page: OpenPage, bill: Bill) -> None:
    app = open_page("chargeback", month=MONTH)
    total = bill.total(MONTH).quantize(Decimal("0.01"))
    assert app.success[0].value.endswith(f"the bill of \\${total:,}.")
    assert sum(Decimal(str(row["total_charge"])) for row in table(app, "Statement")) == total


def test_what_carries_no_tenant_is_the_last_rows(open_page: OpenPage, bill: Bill) -> None:
    untagged = "COALESCE(tags['iamPrincipal/tenant'], '') = ''"
    last = table(open_page("chargeback", month=MONTH), "Statement")[-1]
    difference = Decimal(str(last["total_charge"])) - bill.total(MONTH, untagged)
    assert abs(difference) <= Decimal("0.01")  # controlled rounding: within a cent of its own sum


def test_a_provisional_month_says_that_its_files_may_change(
    open_page: OpenPage, open_bill: Bill
) -> None:
    app = open_page("chargeback", bill=open_bill)
    assert any("provisional" in caption.value for caption in app.caption)
    assert not any(
        "provisional" in caption.value
        for caption in open_page("chargeback", month="2026-09").caption
    )


def test_filters_do_not_narrow_a_statement(open_page: OpenPage) -> None:
    whole = table(open_page("chargeback", month=MONTH), "Statement")
    app = open_page("chargeback", month=MONTH, team="search")
    assert table(app, "Statement") == whole
    assert any("filters do not apply" in caption.value for caption in app.caption)
