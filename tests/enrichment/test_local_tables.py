"""How the rows that reports ask are held."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.demo import write_demo
from chargeback.enrichment import local_tables
from chargeback.enrichment.local_tables import LocalTables
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.store.local import LocalStore
from chargeback.workspace import Workspace

MONTHS = ("2026-09", "2026-10", "2026-11")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three months."""
    folder = tmp_path_factory.mktemp("bill")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=len(MONTHS), lines=300)
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store", athena=None))
    workspace.refresh()
    return workspace


def opened(workspace: Workspace) -> LocalTables:
    assert isinstance(workspace.store, LocalStore)
    periods = workspace.store.periods(workspace.source.source_id)
    return LocalTables(workspace.store, periods, workspace.rules)


def history(workspace: Workspace, tables: LocalTables) -> pa.Table:
    periods = workspace.store.periods(workspace.source.source_id)
    view = View(MONTHS[-1], "USD", EVERYTHING).since(MONTHS[0])
    return Answers(periods, workspace.rules, tables).ask("history", "monthly", view)


def test_many_rows_are_compressed_and_answer_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = opened(workspace)
    monkeypatch.setattr(local_tables, "ROWS_AS_THEY_ARE", 0)
    monkeypatch.setattr(local_tables, "MONTHS_AT_ONCE", 2)
    many = opened(workspace)
    assert history(workspace, many)["billing_period"].to_pylist() == list(MONTHS)
    assert history(workspace, many).equals(history(workspace, few))
    assert ways(many) != ways(few)


def ways(tables: LocalTables) -> set[str]:
    """How tenants are written in memory."""
    storage = "SELECT DISTINCT compression FROM pragma_storage_info('held.monthly')"
    rows = tables._connection.execute(f"{storage} WHERE column_name = 'tenant'").fetchall()
    return {way for (way,) in rows}
