"""CUR 2.0 exports that lie on disk in AWS's own layout, read with DuckDB."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from chargeback import database, query
from chargeback.errors import SourceProblem
from chargeback.notices import Notice
from chargeback.sources.base import Extract, SourcePeriod, StoreKnowledge
from chargeback.sources.bill_settings import BillSettings
from chargeback.sources.local.delivery import STAYS, Delivery, look
from chargeback.sources.local.exports import ExportChoice, choose
from chargeback.sources.local.kinds import by_kind, has_unknown_kinds, number_kinds
from chargeback.sources.local.problems import as_problem, exhausted, left_blank
from chargeback.sources.local.table import Connection, Files, Table, rendered
from chargeback.sources.products import sorted_products

LINES_AND_THREADS = 20_000_000
"""Bedrock lines times threads that take less than 4 GiB: each thread of DuckDB keeps sums of its
own for the rows that it comes upon, and holds them until it has read the last line."""
LINES_AND_THREADS_BY_KIND = 50_000_000
"""The same of lines that are summed by kind."""
NANOSECONDS = 1_000_000_000
DEFAULT = BillSettings()


@dataclass(frozen=True, slots=True)
class _OpenPeriod:
    """A billing period that is being read."""

    table: Table
    notices: tuple[Notice, ...]
    exports: tuple[str, ...]


class LocalFiles:
    """One or several exports below a folder: `…/data/BILLING_PERIOD=YYYY-MM/*.parquet`."""

    engine = "DuckDB"
    recheck_seconds = 60
    is_charged = False
    parallel = 1  # DuckDB uses all cores for one

    def __init__(
        self, folder: Path, bill: BillSettings = DEFAULT, name: str = "CUR 2.0 files"
    ) -> None:
        self.folder, self.bill, self.name = folder, bill, name
        self.source_id = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._notices: tuple[Notice, ...] = ()
        self._exports: dict[str, tuple[str, ...]] = {}

    def periods(self) -> list[SourcePeriod]:
        """The billing periods on disk, newest first. No data is read.

        Raises:
            SourceProblem: the folder is missing, unreadable, or holds no export.
        """
        found = look(self.folder)
        self._notices = found.notices
        by_month = defaultdict(list)
        for delivery in found.deliveries:
            by_month[delivery.month].append(delivery)
        if not by_month:
            raise _no_export(found.notices)
        return [self._period(month, by_month[month]) for month in sorted(by_month, reverse=True)]

    def notices(self) -> tuple[Notice, ...]:
        """What is odd about the folder as a whole, as of the last look at its periods."""
        return self._notices

    def extract(
        self, billing_period: str, out: Path, known: StoreKnowledge, stop: Event | None = None
    ) -> Extract:
        """Writes one period's daily spend to `out` (zstd Parquet).

        Raises:
            SourceProblem: the period isn't there or can't be read, `out` can't be written, or
                there is too little memory or disk.
        """
        with self._opened(billing_period, known) as opened:
            table = opened.table
            # For what doesn't fit into memory; DuckDB removes it.
            database.overflow_to(table.connection, Path(f"{out}.overflow"))
            products = sorted_products(table.run(table.fit("products")), known)
            _write(table, products.keys, out)
            unreadable = left_blank(table, out, products.keys)
            notices = (*table.notices, *opened.notices, *unreadable, *products.notices)
        self._exports[billing_period] = opened.exports
        return Extract(notices, products.bedrock, products.unexplained, opened.exports)

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number; parameters of queries/cur/lines.sql.

        `exports` among them names the exports that the month was read from, for a month that this
        source has not read itself.

        Raises:
            SourceProblem: the period isn't there, or its files can't be read.
        """
        month = parameters["billing_period"]
        exports = tuple(parameters.get("exports") or self._exports.get(month, ()))
        with self._opened(month, StoreKnowledge(exports=exports)) as opened:
            statement = opened.table.fit("lines")
            return opened.table.relation(statement, parameters).to_arrow_table()

    def _period(self, month: str, deliveries: Sequence[Delivery]) -> SourcePeriod:
        seen = [seen for delivery in deliveries for seen in delivery.looked_at]
        signature = [
            f"{each.path}|{each.size}|{each.changed}|{each.kind}|{each.error}" for each in seen
        ]
        text = "\n".join([*signature, f"export={self.bill.export}"])
        newest = max(each.changed for each in seen) // NANOSECONDS
        return SourcePeriod(
            billing_period=month,
            version=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16],
            data_as_of=datetime.fromtimestamp(newest, UTC),
        )

    @contextmanager
    def _opened(self, billing_period: str, known: StoreKnowledge) -> Iterator[_OpenPeriod]:
        """A period's files as a table, while they are read.

        Raises:
            SourceProblem: whatever keeps them from being read.
        """
        deliveries = self._deliveries(billing_period)
        everything = [Files(each.export, each.files) for each in deliveries if each.files]
        try:
            with _connected() as connection:
                chosen = choose(connection, deliveries, self.bill, known)
                yield _as_opened(connection, chosen, deliveries, billing_period)
        except duckdb.OutOfMemoryException as error:
            raise exhausted(billing_period) from error
        except duckdb.Error as error:
            with _connected() as connection:
                raise as_problem(error, connection, everything, billing_period, known) from error
        except OSError as error:
            raise _refused(billing_period, error) from error

    def _deliveries(self, billing_period: str) -> list[Delivery]:
        found = [each for each in look(self.folder).deliveries if each.month == billing_period]
        if not found:
            raise SourceProblem(
                f"The export holds no billing period {billing_period}.",
                "Nothing can be shown or exported for that month.",
                "Choose a month that the export holds.",
            )
        for delivery in found:
            if delivery.problem is not None:
                raise delivery.problem
        return found


@contextmanager
def _connected() -> Iterator[Connection]:
    with database.connect() as connection:
        # Times that a file marks as UTC would else be told in this machine's time zone.
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _as_opened(
    connection: Connection, chosen: ExportChoice, deliveries: Sequence[Delivery], month: str
) -> _OpenPeriod:
    told = [notice for delivery in deliveries for notice in delivery.notices]
    table = Table(connection, chosen.files, month)
    return _OpenPeriod(table, (*told, *chosen.notices), chosen.exports)


def _plan(table: Table, products: list[str]) -> tuple[exp.Expr, int]:
    """What sums a period, and with how many threads: fewer, the more Bedrock lines it has."""
    spend = table.fit("daily_spend")
    # Known from the files' metadata: a small month isn't read for this.
    table.create_view()
    ((threads, lines),) = table.connection.execute(
        "SELECT current_setting('threads'), COUNT(*) FROM cur"
    ).fetchall()
    if threads * lines <= LINES_AND_THREADS:
        return spend, threads
    lines = number_kinds(table, spend, products)
    if threads * lines <= LINES_AND_THREADS:
        return spend, threads
    return by_kind(spend), max(1, min(threads, LINES_AND_THREADS_BY_KIND // lines))


def _write(table: Table, products: list[str], out: Path) -> None:
    spend, threads = _plan(table, products)
    sql = query.into_file(rendered(spend))
    table.connection.execute(f"SET threads = {threads}")
    try:
        given = table.parameters(spend, {"products": products})
        table.connection.execute(sql, {**given, "out": str(out)})
    except duckdb.IOException as error:
        # Which file it was is told in words only; none that is read lies beside `out`.
        if str(out) not in str(error):
            raise
        raise SourceProblem(
            f"Billing period {table.billing_period} can't be written to the spend store.",
            "That month is not brought up to date; figures read earlier stay as they were.",
            "Check the free space and the permissions of the store's folder.",
        ) from error
    if has_unknown_kinds(table.connection, out):
        raise SourceProblem(
            f"Files of billing period {table.billing_period} changed while they were read.",
            STAYS,
            "Refresh again when the export is complete.",
        )


def _no_export(notices: Sequence[Notice]) -> SourceProblem:
    what = "The CUR folder holds no CUR 2.0 export"
    return SourceProblem(
        f"{what}. {' '.join(notice.words for notice in notices)}".strip(),
        "There is no bill to show.",
        "Point CHARGEBACK_CUR to a folder with data/BILLING_PERIOD=YYYY-MM/*.parquet.",
    )


def _refused(billing_period: str, error: OSError) -> SourceProblem:
    name = f" ({Path(error.filename).name})" if error.filename else ""
    return SourceProblem(
        f"Files of billing period {billing_period} can't be read: {error.strerror}{name}.",
        STAYS,
        "Check the permissions of the files, and whether they are there.",
    )
