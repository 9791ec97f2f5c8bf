"""A store that program version 0.1.0 wrote opens after the update, with the same figures."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from chargeback.access.rows import EVERYTHING
from chargeback.reports.charges import charges_by_unit
from chargeback.reports.period_status import notices_of, status_of, ties
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.store.settings import StoreSettings
from chargeback.workspace import Workspace
from tests.bills import MONTH, Line, exported, line, whole, write_bill

TODAY = date(2026, 11, 23)
ADDED = ["charged_lines", "net_charged_lines", "net_repeated_lines"]
"""Columns of spend.parquet that version 0.1.0 did not write."""
LINES: list[Line] = [
    line("10.00", net="9.00", team="search"),
    line("5.00", net="4.50", team="support"),
    line("1.50", "Tax", principal=None),
]
BILL = Decimal("15.00")
"""Net costs of usage, and the tax: no line is a discount."""
MANIFEST = {
    "schema_version": 2,
    "billing_period": MONTH,
    "source": "CUR 2.0 files",
    "engine": "DuckDB",
    "query_ids": [],
    "bytes_scanned": 0,
    "lines_read": 3,
    "rows_kept": 3,
    "totals": [{"currency": "USD", "unblended_total": "16.50", "net_total": "15.00"}],
    "cost_basis": "net",
    "has_principals": True,
    "not_invoiced": 0,
    "newest_usage_date": "2026-10-03",
    "data_as_of": "2026-11-05T06:00:00Z",
    "extracted_at": "2026-11-06T07:00:00Z",
    "notices": ["This export has no usage amounts: tokens and cost per token can't be shown."],
}
"""As 0.1.0 wrote it, but for the ids of the bill and of its delivery."""


@pytest.fixture
def updated(tmp_path: Path) -> Workspace:
    """Opens a store of 0.1.0, whose bill has not changed since."""
    cur = write_bill(tmp_path / "cur", {MONTH: LINES})
    new = Workspace(Settings(cur=cur, store=tmp_path / "new"))
    new.refresh()
    (period,) = new.store.periods(new.source.source_id)
    version = tmp_path / "store" / "versions" / f"{MONTH}-0123456789ab"
    version.mkdir(parents=True)
    spend = parquet.read_table(period.spend).drop_columns(ADDED)
    parquet.write_table(spend, version / "spend.parquet")
    (delivered,) = new.source.periods()
    ids = {"source_id": new.source.source_id, "source_version": delivered.version}
    (version / "manifest.json").write_text(json.dumps(MANIFEST | ids, indent=2), "utf-8")
    (tmp_path / "store" / f"billing_period={MONTH}").symlink_to(Path("versions") / version.name)
    return Workspace(Settings(cur=cur, store=tmp_path / "store"))


def test_its_figures_are_there_without_a_refresh(updated: Workspace) -> None:
    answers = updated.answers()
    assert answers.months == [MONTH]
    assert answers.bill(MONTH).totals == {"USD": BILL}
    assert answers.bill(MONTH).basis_in("USD") == "net"
    assert ties(answers, View(MONTH, "USD", EVERYTHING))
    teams = {
        row["unit"]: row["total_charge"]
        for row in charges_by_unit(answers, whole(MONTH), "team").to_pylist()
    }
    assert teams == {
        "search": Decimal("9.00"),
        "support": Decimal("4.50"),
        "(unallocated)": Decimal("1.50"),
    }
    assert status_of(answers, MONTH, TODAY) == "INVOICED"


def test_what_it_said_is_still_said_and_that_it_is_older(updated: Workspace) -> None:
    said = notices_of(updated.answers(), MONTH)
    assert [each.code for each in said] == ["note", "read-by-older-program"]
    assert said[0].words == MANIFEST["notices"][0]  # type: ignore[index]


def test_its_export_is_the_one_of_a_store_that_was_read_now(
    updated: Workspace, tmp_path: Path
) -> None:
    new = Workspace(
        updated.settings.model_copy(update={"store": StoreSettings(location=tmp_path / "new")})
    )
    for by in ("team", "principal", "account"):
        old_files = exported(updated.answers(), whole(MONTH), by, TODAY, tmp_path / "a")
        new_files = exported(new.answers(), whole(MONTH), by, TODAY, tmp_path / "b")
        assert old_files.statement.read_bytes() == new_files.statement.read_bytes()
        assert old_files.detail.read_bytes() == new_files.detail.read_bytes()


def test_a_refresh_reads_it_anew_where_that_costs_nothing(updated: Workspace) -> None:
    assert [each.billing_period for each in updated.older_months()] == [MONTH]
    assert updated.refresh() == [MONTH]
    assert updated.older_months() == []
    manifest = updated.answers().manifest(MONTH)
    assert manifest.schema_version == 3
    (period,) = updated.store.periods(updated.source.source_id)
    assert manifest.spend_sha256 == hashlib.sha256(period.spend.read_bytes()).hexdigest()
    assert updated.answers().bill(MONTH).totals == {"USD": BILL}
    assert updated.refresh() == []


def test_what_the_bill_no_longer_holds_stays_readable(updated: Workspace) -> None:
    write_bill(Path(str(updated.settings.cur)), {"2026-11": [line("1.00")]})
    for file in Path(str(updated.settings.cur)).rglob(f"BILLING_PERIOD={MONTH}/*"):
        file.unlink()
    updated.refresh()
    assert updated.answers().months == ["2026-11", MONTH]
    assert updated.answers().bill(MONTH).totals == {"USD": BILL}


def test_rows_without_the_counts_of_lines_are_counted_as_they_were(updated: Workspace) -> None:
    """Of a row that carries no invoice every line waits for one, whatever it costs."""
    (period,) = updated.store.periods(updated.source.source_id)
    spend = parquet.read_table(period.spend)
    at = spend.column_names.index("invoice_id")
    blank = spend.set_column(at, "invoice_id", [[""] * len(spend)])
    parquet.write_table(blank, period.spend)
    assert updated.answers().bill(MONTH).not_invoiced == MANIFEST["lines_read"]
    assert status_of(updated.answers(), MONTH, TODAY) == "PROVISIONAL"
