"""The tables that reports ask, `daily` and `monthly`, asked in Athena."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

from chargeback import database, query
from chargeback.enrichment.athena import AthenaEnrichedPeriod, AthenaEnrichment, enriched_tables
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.schemas import report_schema
from chargeback.enrichment.tables import Grain, with_kinds_of_tokens
from chargeback.errors import SourceProblem
from chargeback.sources.athena.parameters import bind, fingerprint
from chargeback.sources.athena.queries import AthenaQueries
from chargeback.store.athena.catalog import StoreTable
from chargeback.store.athena.leases import Lease
from chargeback.store.athena.store import AthenaPeriod, AthenaStore


@dataclass(frozen=True)
class AthenaTables:
    """One state of the store under one set of rules. Safe to share between threads."""

    queries: AthenaQueries
    tables: Mapping[str, StoreTable]
    enriched: Mapping[str, AthenaEnrichedPeriod]
    """By billing period."""
    leases: Sequence[Lease]
    """Of the versions of the facts that the rows were made of, which go with them."""

    @classmethod
    def open(
        cls, store: AthenaStore, periods: Sequence[AthenaPeriod], rules: Rules
    ) -> AthenaTables:
        """What these periods mean under `rules`, worked out in Athena unless it is there already.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """
        leases = [store.hold(period) for period in periods]
        tables = enriched_tables(store.settings)
        enrichment = AthenaEnrichment(store, tables)
        try:
            found = enrichment.of(periods, rules)
        except BaseException:
            for lease in leases:
                lease.release()
            raise
        with suppress(SourceProblem):
            enrichment.drop_unused()
        return cls(store.versions.queries, tables, found, leases)

    @property
    def bills(self) -> dict[str, Bill]:
        """What each billing period comes to."""
        return {month: period.bill for month, period in self.enriched.items()}

    @property
    def problems(self) -> dict[str, SourceProblem]:
        """None: where Athena can't be asked, no month can be shown."""
        return {}

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of queries/reports/<name>.sql, in its order.

        Athena may give an answer again that it gave before, for nothing: the statement names
        versions that never change, and tells its parameters. Raises SourceProblem.
        """
        self._renew()
        sql, literals = bind(self._statement(name, grain), parameters)
        sql = f"{sql} /* {fingerprint(literals)} */"
        schema = report_schema(name, grain)
        with self.queries.connected() as connection:
            return self.queries.table(connection, sql, literals, schema, reuse=True)

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than pages of a thousand should fetch. Raises SourceProblem."""
        schema = report_schema(name, grain)
        return pa.RecordBatchReader.from_batches(schema, self._sorted(name, grain, parameters))

    def _sorted(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> Iterator[pa.RecordBatch]:
        """UNLOAD gives the rows in no order; the statement says which is theirs."""
        self._renew()
        statement = self._statement(name, grain)
        with tempfile.TemporaryDirectory() as folder, database.connect() as duck:
            file = Path(folder) / "rows.parquet"
            schema = report_schema(name, grain)
            with self.queries.connected() as connection:
                self.queries.unload(connection, *bind(statement, parameters), schema, file)
            duck.read_parquet(str(file)).create_view("rows")
            in_order = exp.select("*").from_("rows")
            in_order.set("order", statement.args["order"].copy())
            yield from duck.sql(query.render(in_order, "duckdb")).to_arrow_reader(10_000)

    def _renew(self) -> None:
        for lease in self.leases:
            lease.renew()

    def _statement(self, name: str, grain: Grain) -> exp.Expr:
        rows = self.tables[grain].rows(
            {month: found.version for month, found in self.enriched.items()}
        )
        read = with_kinds_of_tokens(rows)
        return query.with_table(query.load(f"reports/{name}"), "enriched", read)
