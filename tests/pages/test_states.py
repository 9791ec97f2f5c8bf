"""What every page shows when something is missing, broken or not yet there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback.notices import COLUMNS
from chargeback.ui.markdown import plain
from tests.bills import write_manifest_again
from tests.pages.conftest import Bill, OpenPage, table

NEWEST = "BILLING_PERIOD=2026-11"


@pytest.fixture
def own(bill: Bill, tmp_path: Path) -> Bill:
    """A copy of the bill that a test may change."""
    return Bill(shutil.copytree(bill.cur, tmp_path / "cur"), tmp_path / "store")


def newest_file(bill: Bill) -> Path:
    (file,) = bill.cur.glob(f"*/data/{NEWEST}/*.parquet")
    return file


def test_a_bill_that_breaks_leaves_the_last_good_figures_and_says_so(
    open_page: OpenPage, own: Bill
) -> None:
    good = open_page("overview", bill=own).metric[0].value
    newest_file(own).write_bytes(b"PAR1")
    write_manifest_again(own.cur)
    app = open_page("overview", bill=own)
    assert app.metric[0].value == good
    assert "2026-11 can't be read" in app.warning[0].value
    assert "figures read earlier stay" in app.warning[0].value


def test_a_source_that_failed_is_asked_again_only_on_request(
    open_page: OpenPage, own: Bill
) -> None:
    whole = newest_file(own).read_bytes()
    open_page("overview", bill=own)
    newest_file(own).write_bytes(b"PAR1")
    write_manifest_again(own.cur)
    app = open_page("overview", bill=own)
    newest_file(own).write_bytes(whole)
    write_manifest_again(own.cur)
    assert app.run().warning
    (again,) = (button for button in app.button if button.label == "Try again")
    app = again.click().run()
    assert not [w.value for w in app.warning], app.exception


def test_an_empty_folder_is_an_error_that_says_what_to_do(
    open_page: OpenPage, tmp_path: Path
) -> None:
    (tmp_path / "cur").mkdir()
    app = open_page("overview", bill=Bill(tmp_path / "cur", tmp_path / "store"))
    assert plain("Point CHARGEBACK_CUR to a folder") in app.error[0].value
    assert not app.metric


def test_an_export_without_principals_says_so_once(open_page: OpenPage, own: Bill) -> None:
    for file in own.cur.glob("*/data/*/*.parquet"):
        table = parquet.read_table(file, partitioning=None)
        parquet.write_table(table.drop_columns(["line_item_iam_principal"]), file)
    write_manifest_again(own.cur)
    said = [info.value for info in open_page("principals", bill=own).info]
    assert said == [plain(COLUMNS["line_item_iam_principal"].words)]


def test_an_owner_list_that_cannot_be_used_is_an_error_that_names_its_line(
    open_page: OpenPage, own: Bill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "owners.csv"
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION__TEAM", json.dumps([{"owners": str(file)}]))
    file.write_text("iam_principal,team,effective_from\n*,everyone,yesterday\n", "utf-8")
    app = open_page("overview", bill=own)
    assert plain("owners.csv: line 2: a date is not written") in app.error[0].value
    assert not app.metric
    file.write_text("iam_principal,team,effective_from\n*,everyone,\n", "utf-8")
    assert app.run().metric
    assert not app.error


def test_a_bill_that_went_away_leaves_every_month_that_was_read(
    open_page: OpenPage, own: Bill
) -> None:
    before = open_page("chargeback", bill=own)
    shutil.rmtree(own.cur)
    app = open_page("chargeback", bill=own)
    assert app.success[0].value == before.success[0].value
    assert app.selectbox("month").options == before.selectbox("month").options
    assert "can't be read" in app.warning[0].value


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("overview", "The bill of November 2026 has no Bedrock charges."),
        ("models", "The bill of November 2026 has no Bedrock charges."),
        ("chargeback", "This month’s bill has no Bedrock charges, so nothing is charged."),
        ("tenants", "Nothing in November 2026 was billed."),
        ("reconciliation", ""),
    ],
)
def test_a_month_without_bedrock_is_said_to_be_one(
    open_page: OpenPage, own: Bill, page: str, said: str
) -> None:
    file = newest_file(own)
    table = parquet.read_table(file, partitioning=None)
    deciding = ("product", "line_item_product_code", "product_servicecode")
    names = [name for name in table.column_names if name in deciding]
    nothing = pa.nulls(len(table))
    for name in names:
        at = table.column_names.index(name)
        table = table.set_column(at, name, nothing.cast(table.schema.field(name).type))
    parquet.write_table(table, file)
    write_manifest_again(own.cur)
    app = open_page(page, bill=own)
    assert not app.exception
    assert not app.error
    assert not said or said in [info.value for info in app.info]


def test_lines_without_an_account_are_unallocated(open_page: OpenPage, own: Bill) -> None:
    for file in own.cur.glob("*/data/*/*.parquet"):
        lines = parquet.read_table(file, partitioning=None)
        parquet.write_table(lines.drop_columns(["line_item_usage_account_id"]), file)
    write_manifest_again(own.cur)
    app = open_page("chargeback", bill=own, charge_to="Account")
    (row,) = table(app, "Statement")
    assert row["name"] == row["bill_to"] == "(unallocated)"
