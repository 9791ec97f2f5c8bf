"""A CUR 2.0 table in Amazon Athena, read by the statements of queries/cur."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pyarrow as pa
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.notices import Notice
from chargeback.sources.athena.costs import AthenaCosts
from chargeback.sources.athena.delivery import AthenaDelivery, DeliveryUnknown
from chargeback.sources.athena.parameters import bind, fingerprint
from chargeback.sources.athena.queries import AthenaQueries, QueryRun
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.base import Extract, SourcePeriod, StoreKnowledge
from chargeback.sources.cur2 import fit, missing_columns, result_schema
from chargeback.sources.products import Products, sorted_products

Values = Mapping[str, Any]
"""Of a statement's parameters, by name."""


class AthenaTable:
    """One CUR 2.0 table. Credentials, region and endpoints are what boto3's environment says."""

    name = "CUR 2.0 table"
    engine = "Athena"
    recheck_seconds = 3600  # AWS writes an export at most three times a day; asking costs a query
    is_charged = True
    parallel = 4  # far below the 20 queries that every account may run at a time ("Service Quotas")

    def __init__(self, settings: AthenaSettings, costs: AthenaCosts | None = None) -> None:
        self.settings = settings
        self.queries = AthenaQueries(settings, costs)
        place = (settings.catalog, settings.database, settings.table, settings.region or "")
        self.source_id = hashlib.sha256("\n".join(place).encode()).hexdigest()[:16]
        self._columns: tuple[str, ...] = ()
        self._asking_columns = Lock()
        self._versions: dict[str, str] = {}

    def periods(self) -> list[SourcePeriod]:
        """The billing periods in the table, newest first.

        The times of the files are the cheapest sign that can be trusted that AWS has written a
        period again: they say it of every period in one query that reads no column.

        Raises:
            SourceProblem: Athena can't be asked, or the table holds no billing period.
        """
        self._columns = ()  # a new delivery may have other columns
        with self.queries.connected() as connection:
            rows = self.queries.rows(connection, *self._bound(query.load("cur/athena_periods"), {}))
        if not rows:
            raise SourceProblem(
                "The Athena table holds no billing period.",
                "There is no bill to show.",
                "Wait for the export's first delivery, or load the table's partitions.",
            )
        periods = [_period(*row) for row in rows]
        self._versions = {period.billing_period: period.version for period in periods}
        return periods

    def notices(self) -> tuple[Notice, ...]:
        """Nothing: what lies beside the table's files Athena does not see."""
        return ()

    def extract(
        self, billing_period: str, out: Path, known: StoreKnowledge, stop: Event | None = None
    ) -> Extract:
        """Writes one period's daily spend to `out` (zstd Parquet).

        Raises:
            SourceProblem: Athena can't be asked, its answer can't be fetched, or `stop` was set.
        """

        def unload(to: Connection[Cursor], statement: exp.Expr, values: Values) -> QueryRun:
            schema = result_schema("daily_spend")
            return self.queries.unload(to, *self._bound(statement, values), schema, out)

        return self._read(billing_period, known, stop, unload)

    def insert(
        self,
        billing_period: str,
        into: Callable[[exp.Expr], exp.Expr],
        known: StoreKnowledge,
        stop: Event,
    ) -> Extract:
        """Writes one period's daily spend in Athena itself, by the INSERT that `into` makes of it.

        Raises:
            SourceProblem: Athena can't be asked, or `stop` was set.
        """

        def insert(to: Connection[Cursor], statement: exp.Expr, values: Values) -> QueryRun:
            return self.queries.done(to, *self._bound(into(statement), values))

        return self._read(billing_period, known, stop, insert)

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number; parameters of queries/cur/lines.sql.

        A page of rows comes through the API, typed and in order; UNLOAD would spread it over
        files without an order (Athena User Guide, "UNLOAD"). Athena may give a page again that it
        gave before, for nothing: the statement names the version of the bill that it was asked of.

        Raises:
            SourceProblem: Athena can't be asked.
            UsageProblem: the number stands for more identities and meters than one query holds.
        """
        with self.queries.connected() as connection:
            statement = fit("lines", self._columns_of(connection))
            sql, literals = self._bound(statement, parameters)
            version = self._versions.get(parameters["billing_period"])
            if version:
                sql = f"{sql} /* {fingerprint(version, literals)} */"
            return self.queries.table(
                connection, sql, literals, result_schema("lines"), reuse=version is not None
            )

    def _read(
        self,
        billing_period: str,
        known: StoreKnowledge,
        stop: Event | None,
        run: Callable[[Connection[Cursor], exp.Expr, Values], QueryRun],
    ) -> Extract:
        """What `run` makes of one period's daily spend, and what is odd about the period."""
        odd = self._checked(billing_period)
        with self.queries.connected(stop) as connection:
            columns = self._columns_of(connection)
            products = self._products(connection, columns, billing_period, known)
            values = {"billing_period": billing_period, "products": products.keys}
            ran = run(connection, fit("daily_spend", columns), values)
        return Extract(
            notices=(*odd, *missing_columns(columns), *products.notices),
            products=products.bedrock,
            unexplained=products.unexplained,
            query_ids=(ran.query_id,),
            bytes_scanned=ran.bytes_scanned,
        )

    def _columns_of(self, connection: Connection[Cursor]) -> tuple[str, ...]:
        """The table's columns, asked once after each look at its periods."""
        with self._asking_columns:
            columns = self._columns
            if not columns:
                sql, _ = self._bound(query.load("cur/columns"), {})
                with self.queries.run(connection, sql) as cursor:
                    columns = tuple(column[0] for column in cursor.description or [])
                self._columns = columns
            return columns

    def _checked(self, billing_period: str) -> tuple[Notice, ...]:
        """What is odd about the delivery; where that can't be known, the set-up's checks say so."""
        try:
            return AthenaDelivery(self.settings).check(billing_period)
        except DeliveryUnknown:
            return ()

    def _products(
        self,
        connection: Connection[Cursor],
        columns: tuple[str, ...],
        billing_period: str,
        known: StoreKnowledge,
    ) -> Products:
        """What a period's Marketplace lines are of."""
        sql, parameters = self._bound(fit("products", columns), {"billing_period": billing_period})
        rows = self.queries.table(connection, sql, parameters, result_schema("products"))
        return sorted_products(rows.to_pylist(), known)

    def _bound(self, statement: exp.Expr, values: Values) -> tuple[str, list[str]]:
        table = exp.table_(self.settings.table, db=self.settings.database, quoted=True)
        return bind(query.with_table(statement, "cur", table), values)


def _period(billing_period: str, newest_file: int, files: int, lines: int) -> SourcePeriod:
    return SourcePeriod(
        billing_period=billing_period,
        version=f"{newest_file}-{files}-{lines}",
        data_as_of=datetime.fromtimestamp(newest_file, UTC),
    )
