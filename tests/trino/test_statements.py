"""Every statement of queries/ gives the same rows on Trino as on DuckDB, to the last digit."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pytest
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.enrichment.tables import Grain, with_kinds_of_tokens
from chargeback.reports.view import View
from chargeback.sources.athena.parameters import ARRAY_ELEMENTS, PARAMETER_LENGTH
from tests.bills import NONE_FOLDED

from .cases import CASES, MONTH, MONTHS, VIEWS, Case
from .conftest import Engines
from .engine import STARTS_WITHIN, Answer

STATEMENTS = sorted(
    str(path.relative_to(query.QUERIES).with_suffix("")) for path in query.QUERIES.rglob("*.sql")
)
TESTED_BELOW = ("cur/athena_periods", "cur/lines")
RUNS = [
    pytest.param(name, case, id=f"{name}: {case.label}")
    for name, cases in CASES.items()
    for case in cases
]
PAGE_SIZE = 40
pytestmark = pytest.mark.timeout(STARTS_WITHIN)


def loaded(name: str, rows: str = "") -> exp.Expr:
    statement = query.load(name)
    if not rows:
        return statement
    read = exp.to_table(rows)
    if name.startswith("reports/") and rows in get_args(Grain):
        return query.with_table(statement, "enriched", with_kinds_of_tokens(read))
    return query.with_table(statement, "enriched", read)


def counted(answer: Answer) -> Counter[tuple[Any, ...]]:
    """The rows without their order; neither have the months of a ranking's history any."""
    history = answer.columns.index("history") if "history" in answer.columns else None
    return Counter(
        tuple(
            frozenset(cell.split(",")) if at == history else _hashable(cell)
            for at, cell in enumerate(row)
        )
        for row in answer.rows
    )


def _hashable(cell: object) -> object:
    return frozenset(cell.items()) if isinstance(cell, dict) else cell


def sort_keys(statement: exp.Expr, answer: Answer) -> list[list[Any]]:
    """What the statement orders its rows by, as far as those are columns of the result."""
    order = statement.args.get("order")
    keys = [key.this for key in order.expressions] if order else []
    at = [int(key.name) - 1 for key in keys if key.is_int]
    at += [answer.columns.index(key.name) for key in keys if isinstance(key, exp.Column)]
    return [[row[position] for position in at] for row in answer.rows]


def assert_same(statement: exp.Expr, trino: Answer, duckdb: Answer) -> None:
    assert trino.columns == duckdb.columns
    assert counted(trino) == counted(duckdb)
    assert sort_keys(statement, trino) == sort_keys(statement, duckdb)


def test_no_statement_is_left_out() -> None:
    assert sorted([*CASES, *TESTED_BELOW]) == STATEMENTS


@pytest.mark.parametrize(("name", "case"), RUNS)
def test_statement_gives_the_same_rows(engines: Engines, name: str, case: Case) -> None:
    statement = loaded(name, case.rows)
    trino, duckdb = engines.both(statement, case.parameters)
    assert_same(statement, trino, duckdb)
    assert trino.rows or case.may_be_empty


def keys_of(engines: Engines, view: View) -> dict[str, Any]:
    """The parameters of cur/lines for a view, as chargeback.reports puts them."""
    answer = engines.ask_duckdb(loaded("reports/line_keys", "daily"), view.parameters())
    identities, meters, _ = zip(*answer.rows, strict=True)
    return {
        "billing_period": view.month,
        "products": engines.products[view.month],
        "identities": sorted(set(identities)),
        "meters": sorted(set(meters)),
        **NONE_FOLDED,
        "usage_date": None,
        "page_start": 0,
        "page_size": PAGE_SIZE,
    }


@pytest.mark.parametrize("label", ["open month", "one tenant", "quotes", "two levels"])
@pytest.mark.parametrize(
    "more",
    [{}, {"page_start": PAGE_SIZE}, {"usage_date": "2026-10-07"}, {"identities": []}],
    ids=["first page", "second page", "one day", "nobody"],
)
def test_lines_are_the_same_in_the_same_order(
    engines: Engines, label: str, more: dict[str, Any]
) -> None:
    statement = query.load("cur/lines")
    values = {**keys_of(engines, VIEWS[label]), **more}
    trino, duckdb = engines.both(statement, values)
    assert trino == duckdb
    assert len(trino.rows) <= PAGE_SIZE
    assert trino.rows or more


def test_lines_of_more_callers_than_one_array_and_one_parameter_hold(engines: Engines) -> None:
    statement = query.load("cur/lines")
    values = keys_of(engines, VIEWS["open month"])
    expected = engines.ask_duckdb(statement, values)
    others = [f"{number}|||{{}}|{{}}" for number in range(ARRAY_ELEMENTS)]
    long = "'" * PARAMETER_LENGTH
    values["identities"] = [*others, long, *values["identities"]]
    assert engines.trino.ask(statement, values) == expected


def test_one_day_of_lines_is_that_day(engines: Engines) -> None:
    values = {**keys_of(engines, VIEWS["all"]), "usage_date": f"{MONTH}-07"}
    answer = engines.trino.ask(query.load("cur/lines"), values)
    assert {row[0].date().isoformat() for row in answer.rows} == {f"{MONTH}-07"}


def test_athena_periods_tells_what_lies_on_disk(engines: Engines) -> None:
    found = engines.trino.ask(query.load("cur/athena_periods"), {})
    assert found.columns == ["billing_period", "newest_file", "files", "line_count"]
    on_disk = []
    for month in reversed(MONTHS):
        (file,) = (engines.export / f"BILLING_PERIOD={month}").iterdir()
        lines = parquet.read_metadata(file).num_rows
        on_disk.append((month, int(file.stat().st_mtime), 1, lines))
    assert found.rows == on_disk


def test_athena_periods_passes_over_what_is_no_month(engines: Engines) -> None:
    month = query.load("cur/athena_periods").args["where"].this
    texts = ("2026-10", "x2026-10", "2026-1", "2026-10-01", "__HIVE_DEFAULT_PARTITION__")
    values = ", ".join(f"('{text}')" for text in texts)
    sql = f"SELECT * FROM (VALUES {values}) AS t (billing_period) WHERE {month.sql('athena')}"  # noqa: S608
    assert engines.trino.run(sql).rows == [("2026-10",)]
