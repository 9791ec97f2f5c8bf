"""What fewer rows answer, and statements without what nobody asked for, is what all rows answer."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from chargeback import query
from chargeback.demo import write_demo
from chargeback.enrichment import local_tables
from chargeback.enrichment.fewer_rows import FEWER, FewerRows, rows_for
from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.tables import Grain
from chargeback.settings import Settings
from chargeback.store.local import LocalStore
from chargeback.workspace import Workspace

from ..trino.cases import CASES, MONTHS, TODAY, Case

EACH = [(each, name) for each in FEWER for name in sorted(each.statements)]
REPORTS = sorted(name for name in CASES if name.startswith("reports/"))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> LocalTables:
    """The demo bill's, its newest month open."""
    folder = tmp_path_factory.mktemp("bill")
    write_demo(folder / "cur", today=TODAY, months=len(MONTHS), lines=1000)
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store", athena=None))
    workspace.refresh()
    assert isinstance(workspace.store, LocalStore)
    periods = workspace.store.periods(workspace.source.source_id)
    return LocalTables(workspace.store, periods, workspace.rules)


def of_all_rows(tables: LocalTables, name: str, case: Case) -> pa.Table:
    """The answer to a statement as it stands in its file."""
    tree = query.load(name)
    asked = query.select_parameters(tree, case.parameters)
    sql = query.duckdb_sql(name, (("enriched", case.rows),))
    return tables._connection.cursor().execute(sql, asked).to_arrow_table()


def without_order(answer: pa.Table) -> pa.Table:
    """The same with the months of a ranking's history in an order: they have none."""
    if "history" not in answer.column_names:
        return answer
    at = answer.column_names.index("history")
    sorted_months = [",".join(sorted(each.split(","))) for each in answer["history"].to_pylist()]
    return answer.set_column(at, answer.schema.field(at), pa.array(sorted_months, pa.string()))


def answered(tables: LocalTables, name: str, case: Case) -> pa.Table:
    asked = query.select_parameters(query.load(name), case.parameters)
    grain: Grain = "monthly" if case.rows == "monthly" else "daily"
    return tables.answer(name.removeprefix("reports/"), grain, asked)


def enough_of(each: FewerRows, name: str) -> Iterator[Case]:
    """The cases that fewer rows answer."""
    for case in CASES[f"reports/{name}"]:
        if case.rows == each.of and each.answer(name, each.of, case.parameters):
            yield case


@pytest.mark.parametrize(("each", "name"), EACH, ids=[f"{each.rows}: {n}" for each, n in EACH])
def test_fewer_rows_answer_as_all_rows_do(tables: LocalTables, each: FewerRows, name: str) -> None:
    cases = list(enough_of(each, name))
    assert cases
    for case in cases:
        found = answered(tables, f"reports/{name}", case)
        assert without_order(found).equals(
            without_order(of_all_rows(tables, f"reports/{name}", case))
        ), case.label


def test_days_in_memory_answer_as_those_in_files_do(tables: LocalTables) -> None:
    cases = list(enough_of(FEWER[0], "caller_days"))
    before = [answered(tables, "reports/caller_days", case) for case in cases]
    assert not held_days(tables)
    tables.hold_days()
    assert held_days(tables)
    assert [answered(tables, "reports/caller_days", case) for case in cases] == before
    tables._open()  # as where files were damaged
    assert not held_days(tables)
    assert answered(tables, "reports/caller_days", cases[0]) == before[0]


def test_many_days_stay_in_files(tables: LocalTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_tables, "ROWS_AS_THEY_ARE", 1)
    tables.hold_days()
    assert not held_days(tables)


def held_days(tables: LocalTables) -> bool:
    """Whether the view over what callers cost by day reads memory."""
    found = tables._connection.execute(
        "SELECT sql FROM duckdb_views() WHERE view_name = 'daily_callers'"
    ).fetchall()
    return "parquet" not in found[0][0].lower()


def test_there_are_fewer_of_them(tables: LocalTables) -> None:
    for each in FEWER:
        counts = [tables._connection.table(rows).shape[0] for rows in (each.rows, each.of)]
        assert 0 < counts[0] < counts[1]


@pytest.mark.parametrize("name", REPORTS)
def test_a_statement_without_what_nobody_asked_for_answers_the_same(
    tables: LocalTables, name: str
) -> None:
    for case in CASES[name][::3]:
        if case.rows in ("daily", "monthly"):
            found, whole = answered(tables, name, case), of_all_rows(tables, name, case)
            assert found.schema == whole.schema, case.label
            rows = (sorted(map(repr, without_order(t).to_pylist())) for t in (found, whole))
            assert next(rows) == next(rows), case.label


@pytest.mark.parametrize(
    ("name", "parameters", "rows"),
    [
        ("ranking", {"dimension": "team"}, "monthly_principals"),
        ("ranking", {"dimension": "model"}, "monthly_principals"),
        ("ranking", {"dimension": "token_type"}, "monthly"),
        ("ranking", {"dimension": "team", "token_type": ("input",)}, "monthly"),
        ("ranking", {"dimension": "team", "token_type": ()}, "monthly"),
        ("ranking", {"dimension": "team", "model": ("Claude Opus 5",)}, "monthly_principals"),
        ("usage_mix", {}, "monthly"),
    ],
)
def test_all_rows_are_asked_where_fewer_do_not_tell(
    name: str, parameters: dict[str, object], rows: str
) -> None:
    assert rows_for(name, "monthly", parameters) == rows


def test_a_months_days_are_asked_by_model_of_all_rows() -> None:
    assert rows_for("days", "daily", {"dimension": "tenant"}) == "daily_callers"
    assert rows_for("days", "daily", {"dimension": "model"}) == "daily"
