"""The demo bill and the product's own store of it, in Trino and in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.attribution.rules import AttributionRules
from chargeback.demo import write_demo
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.classify import (
    ATTRIBUTED_IDENTITIES,
    attributed_identities,
    read_meters,
    recognised_meters,
)
from chargeback.enrichment.folding import SessionFolding
from chargeback.enrichment.local import MADE_OF, enrich
from chargeback.settings import Settings
from chargeback.sources.products import product_keys
from chargeback.store.folding import SESSIONS
from chargeback.workspace import Workspace

from .cases import MONTHS, TODAY, VIEWS
from .engine import Answer, Trino, running

LINES = 3_000


@dataclass(frozen=True)
class Engines:
    """The same tables in both engines."""

    trino: Trino
    duckdb: duckdb.DuckDBPyConnection
    export: Path
    """The folder of the demo bill's partitions."""
    bills: dict[str, Bill] = field(default_factory=dict)
    """What the store says that each month comes to."""
    products: dict[str, list[str]] = field(default_factory=dict)
    """What each month was read with, as the parameter `products` takes it."""

    def ask_duckdb(self, statement: exp.Expr, values: Mapping[str, Any]) -> Answer:
        """Runs a statement as the product runs it on local files and on its store."""
        found = self.duckdb.execute(query.render(statement, "duckdb"), dict(values))
        # A partition's column has the capitals of its folder's name; Athena knows none.
        return Answer([c[0].lower() for c in found.description or []], found.fetchall())

    def both(self, statement: exp.Expr, values: Mapping[str, Any]) -> tuple[Answer, Answer]:
        """What Trino answers, and what DuckDB does."""
        takes = query.parameters(statement)
        bound = {name: value for name, value in values.items() if name in takes}
        return self.trino.ask(statement, bound), self.ask_duckdb(statement, bound)

    def add_files(self, table: str, files: list[Path]) -> None:
        self.trino.add_files(table, files)
        self.duckdb.read_parquet([str(file) for file in files]).create_view(table)

    def add_rows(self, table: str, rows: pa.Table) -> None:
        self.trino.add_rows(table, rows)
        files = str(self.trino.folder / table / "*.parquet")
        self.duckdb.read_parquet(files).create_view(table)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Tables cur, spend, in_force, daily, monthly, both meanings and two readings in both."""
    folder, store = tmp_path_factory.mktemp("trino"), tmp_path_factory.mktemp("store")
    write_demo(folder / "cur", today=TODAY, months=len(MONTHS), lines=LINES)
    (export,) = (folder / "cur").glob("*/data")
    with running(folder) as trino, duckdb.connect() as connection:
        engines = Engines(trino, connection, export)
        _add_bill(engines)
        _add_store(engines, Workspace(Settings(cur=folder / "cur", store=store)))
        yield engines


def _add_bill(engines: Engines) -> None:
    files = [str(file) for file in sorted(engines.export.glob("*/*.parquet"))]
    bill = engines.duckdb.read_parquet(files, union_by_name=True, hive_partitioning=True)
    bill.create_view("cur")
    engines.trino.add_table(
        "cur", engines.export, parquet.read_schema(files[0]), ["billing_period"]
    )


def _add_store(engines: Engines, workspace: Workspace) -> None:
    workspace.refresh()
    periods = workspace.store.periods(workspace.source.source_id)
    found = [enrich(period, workspace.rules) for period in periods]
    engines.add_files("spend", [period.spend for period in periods])
    engines.add_files("in_force", [period.spend for period in periods[:2]])
    for period, under_rules in zip(periods, found, strict=True):
        engines.bills[period.manifest.billing_period] = under_rules.bill
        products = product_keys(period.manifest.products)
        engines.products[period.manifest.billing_period] = products
    for rows in MADE_OF:
        engines.add_files(rows, [each.file(rows) for each in found])
    identities = engines.duckdb.sql(
        query.duckdb_sql("store/identities"), params={"reads_resources": 0}
    ).to_arrow_table()
    meters = engines.duckdb.sql(query.duckdb_sql("store/meters")).to_arrow_table()
    _add_readings(engines)
    _add_folds(engines, workspace.rules.attribution)
    rules = workspace.rules.attribution
    attributed = attributed_identities(identities.to_batches(), rules)
    engines.add_rows("attributed_identities", attributed.cast(ATTRIBUTED_IDENTITIES))
    engines.add_rows("recognised_meters", recognised_meters(read_meters(meters)))


def _add_folds(engines: Engines, rules: AttributionRules) -> None:
    """Which sessions may be kept as one, those that are, and the facts that are left then."""
    asked = {"above": 1, "reads_resources": 0}
    found = engines.duckdb.sql(query.duckdb_sql("store/sessions"), params=asked).to_arrow_table()
    read = SessionFolding(1, rules).sessions(found.to_batches())
    rows = pa.Table.from_batches(read, SESSIONS)
    alike = pa.array(["{}"] * len(rows))  # as if tags told none of the demo's gateway apart
    engines.add_rows(
        "read_sessions", rows.drop("session_tags").append_column("session_tags", alike)
    )
    folds = engines.duckdb.sql(query.duckdb_sql("store/folds"), params={"above": 1})
    engines.add_rows("session_folds", folds.to_arrow_table())
    kept = engines.duckdb.sql(query.duckdb_sql("store/folded"))
    engines.add_rows("kept", kept.to_arrow_table())


def _add_readings(engines: Engines) -> None:
    """A month's lines twice: in the second others pay, there is more, and some of it costs more."""
    month = VIEWS["all currencies"]
    dearer = "CASE WHEN region = 'us-east-1' THEN cost + unblended_cost ELSE cost END AS cost"
    for table, view, dimension, columns in (
        ("closed_lines", month.first_days(20), "tenant", "*"),
        ("current_lines", month, "team", f"* REPLACE ({dearer})"),
    ):
        statement = query.duckdb_sql("reports/restatement_lines", (("enriched", "daily"),))
        asked = query.select_parameters(
            query.load("reports/restatement_lines"),
            {**view.parameters(), "dimension": dimension, "columns": ["model"]},
        )
        lines = engines.duckdb.sql(statement, params=asked).project(columns)
        engines.add_rows(table, lines.to_arrow_table())
    compared = engines.duckdb.sql(query.duckdb_sql("restatement/compared_lines"))
    engines.add_rows("compared", compared.to_arrow_table())
