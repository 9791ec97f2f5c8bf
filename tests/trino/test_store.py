"""The store's tables, written and read in Trino, hold the rows of the store on disk."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import pytest
from sqlglot import exp

from chargeback import query
from chargeback.enrichment.schemas import daily_schema, monthly_schema
from chargeback.enrichment.tables import with_kinds_of_tokens
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.cur2 import result_schema
from chargeback.store.athena.catalog import KEYS, StoreTable

from .cases import CASES, MONTHS
from .conftest import Engines
from .engine import STARTS_WITHIN
from .test_statements import assert_same, loaded

pytestmark = pytest.mark.timeout(STARTS_WITHIN)
SETTINGS = AthenaSettings(database="bill", table="cur", store_location="s3://bucket/store")
REPORTS = sorted(name for name in CASES if name.startswith("reports/"))
CASES_EACH = 3
"""How many cases of each statement; over the other store's tables they all run."""

Tables = Mapping[str, StoreTable]


def versions(*months: str) -> dict[str, str]:
    return {month: f"of {month}" for month in months}


@pytest.fixture(scope="module")
def tables(engines: Engines) -> Tables:
    """`spend`, `daily` and `monthly`, into which Trino has written every month twice."""
    schemas = {
        "spend": result_schema("daily_spend"),
        "daily": daily_schema(),
        "monthly": monthly_schema(),
    }
    made = {kind: StoreTable(kind, schema, SETTINGS) for kind, schema in schemas.items()}
    for table in made.values():
        folder = engines.trino.folder / table.name
        folder.mkdir()
        engines.trino.add_table(table.name, folder, table.schema, KEYS)
    for month in MONTHS:
        for version in (*versions(month).values(), "another"):
            write(engines, made, month, version)
    return made


def write(engines: Engines, made: Tables, month: str, version: str) -> None:
    daily_spend = query.load("cur/daily_spend")
    insert = made["spend"].insert(daily_spend, month, version)
    values = {"billing_period": month, "products": engines.products[month]}
    engines.trino.ask(insert, values)
    spend = made["spend"].rows({month: version})
    joined = query.with_table(query.load("store/daily"), "spend", spend)
    rules = {
        "net_payers": engines.bills[month].net_payers,
        "excluded": [],
        "reads_resources": 0,
    }
    engines.trino.ask(made["daily"].insert(joined, month, version), rules)
    daily = made["daily"].rows({month: version})
    monthly = query.with_table(query.load("store/monthly"), "enriched", daily)
    engines.trino.ask(made["monthly"].insert(monthly, month, version), {})


@pytest.mark.parametrize("kind", ["spend", "daily", "monthly"])
@pytest.mark.parametrize("months", [MONTHS[2:3], MONTHS])
def test_a_table_holds_the_rows_of_its_versions(
    kind: str, months: tuple[str, ...], engines: Engines, tables: Tables
) -> None:
    everything = exp.select(*tables[kind].schema.names)
    there = everything.from_(tables[kind].rows(versions(*months)).as_("t"))
    here = everything.from_(kind).where(exp.column("billing_period").isin(*months))
    trino, duckdb = engines.trino.ask(there, {}), engines.ask_duckdb(here, {})
    assert_same(here, trino, duckdb)
    assert trino.rows


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_has_the_rows_of_the_store_on_disk(
    name: str, engines: Engines, tables: Tables
) -> None:
    for case in islice(CASES[name], CASES_EACH):
        rows = tables["monthly" if case.rows == "monthly" else "daily"].rows(versions(*MONTHS))
        takes = query.parameters(query.load(name))
        values = {key: value for key, value in case.parameters.items() if key in takes}
        there = query.with_table(query.load(name), "enriched", with_kinds_of_tokens(rows))
        here = loaded(name, case.rows)
        assert_same(here, engines.trino.ask(there, values), engines.ask_duckdb(here, values))
