"""CUR 2.0 exports that lie on disk in AWS's own layout, read with DuckDB."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.settings import BillSettings
from chargeback.sources.cur2 import (
    COLUMN_TYPES,
    TAG_MAP,
    Extract,
    SourcePeriod,
    fitted,
    missing_columns,
    sorted_products,
)

PARTITION = re.compile(r"BILLING_PERIOD=(\d{4}-\d{2})", re.IGNORECASE)

LINES_AND_THREADS = 20_000_000
"""Bedrock lines times threads that take less than 4 GiB: each thread of DuckDB keeps sums of its
own for the rows that it comes upon, and holds them until it has read the last line."""


class LocalFiles:
    """One or several exports below a folder: `…/data/BILLING_PERIOD=YYYY-MM/*.parquet`."""

    engine = "DuckDB"
    recheck_seconds = 60
    is_charged = False
    parallel = 1  # DuckDB uses all cores for one

    def __init__(
        self, folder: Path, bill: BillSettings = BillSettings(), name: str = "CUR 2.0 files"
    ) -> None:
        self.folder, self.name = folder, name
        self.source_id = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]

    def periods(self) -> list[SourcePeriod]:
        """The billing periods on disk, newest first.

        Raises:
            SourceProblem: the folder is missing, unreadable, or holds no export.
        """
        by_period = defaultdict(list)
        for partition in self._partitions():
            by_period[_month(partition)].extend(_current_files(partition))
        periods = [_describe(month, files) for month, files in by_period.items() if files]
        if not periods:
            raise SourceProblem(
                "The CUR folder holds no CUR 2.0 export.",
                "There is no bill to show.",
                "Point CHARGEBACK_CUR to a folder with data/BILLING_PERIOD=YYYY-MM/*.parquet.",
            )
        return sorted(periods, key=lambda period: period.billing_period, reverse=True)

    def notices(self):
        return ()

    def extract(self, billing_period, out, known, stop=None):
        with self._opened(billing_period) as (connection, columns):
            rows = (
                connection.sql(
                    query.render(fitted("products", columns), "duckdb"),
                    params={"billing_period": billing_period},
                )
                .to_arrow_table()
                .to_pylist()
            )
            products = sorted_products(rows, known)
            sql = query.into_file(query.render(fitted("daily_spend", columns), "duckdb"))
            connection.execute(
                sql, {"billing_period": billing_period, "products": products.keys, "out": str(out)}
            )
        return Extract(
            (*missing_columns(columns), *products.notices), products.bedrock, products.unexplained
        )

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number; parameters of queries/cur/lines.sql.

        Raises:
            SourceProblem: the period isn't there, or its files can't be read.
        """
        with self._opened(parameters["billing_period"]) as (connection, columns):
            sql = query.render(fitted("lines", columns), "duckdb")
            return connection.sql(sql, params=parameters).to_arrow_table()

    def _partitions(self) -> list[Path]:
        """The folders that hold one billing period each, of every export below the folder."""
        try:
            next(self.folder.iterdir(), None)  # rglob passes silently over what it can't open
            return sorted(path for path in self.folder.rglob("*=*") if _holds_data(path))
        except OSError as error:
            raise SourceProblem(
                f"The CUR folder can't be read: {error.strerror}.",
                "There is nothing newer to show than what was read before.",
                "Check CHARGEBACK_CUR and the permissions of the folder.",
            ) from error

    def _overlaps(self, billing_period: str) -> list[str]:
        """What a reader must know when several exports bill the same payer in one month."""
        exports = self._files(billing_period)
        payers = defaultdict(list)
        for export, files in exports.items() if len(exports) > 1 else ():
            with _reading(files, billing_period) as (connection, columns):
                sql = query.render(fitted("payers", columns), "duckdb")
                rows = connection.execute(sql, {"billing_period": billing_period}).fetchall()
            for (payer,) in rows:
                payers[payer].append(export.parent.name)
        return [
            f"Several exports bill payer account {payer}, and all are counted: {', '.join(names)}. "
            "If they hold the same bill, take all but one of them away."
            for payer, names in payers.items()
            if len(names) > 1
        ]

    def _files(self, billing_period: str) -> dict[Path, list[Path]]:
        """The files of one billing period by the data folder of their export."""
        found = {
            partition.parent: _current_files(partition)
            for partition in self._partitions()
            if _month(partition) == billing_period
        }
        return {folder: files for folder, files in found.items() if files}

    @contextmanager
    def _opened(self, billing_period: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
        files = [file for files in self._files(billing_period).values() for file in files]
        if not files:
            raise SourceProblem(
                f"The export holds no billing period {billing_period}.",
                "Nothing can be shown or exported for that month.",
                "Choose a month that the export holds.",
            )
        with _reading(files, billing_period) as opened:
            yield opened


@contextmanager
def _reading(
    files: list[Path], billing_period: str
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
    """A connection in which these files are `cur`, and its columns."""
    with duckdb.connect() as connection:
        # Times that a file marks as UTC would else be told in this machine's time zone.
        connection.execute("SET TimeZone = 'UTC'")
        try:
            names = [str(file) for file in files]
            # The partition says the month; other folders named KEY=VALUE are nobody's columns.
            cur = connection.read_parquet(names, union_by_name=True, hive_partitioning=False)
            own = [c for c in cur.columns if c.lower() == "billing_period"]
            month = duckdb.ConstantExpression(billing_period).alias("billing_period")
            maps = _maps_as_text(cur)
            others = duckdb.StarExpression(exclude=[*own, *maps])
            cur.select(others, *map(_as_map, maps), month).create_view("cur")
            yield connection, [*cur.columns, "billing_period"]
        except duckdb.OutOfMemoryException as error:
            raise _exhausted(billing_period) from error
        except duckdb.Error as error:
            raise _unreadable(files, billing_period) from error


def _maps_as_text(cur: duckdb.DuckDBPyRelation) -> list[str]:
    """The map columns that these files hold as JSON text, as an export to CSV has them."""
    columns = zip(cur.columns, cur.types, strict=True)
    return [c for c, t in columns if t == "VARCHAR" and COLUMN_TYPES.get(c.lower()) == TAG_MAP]


def _as_map(column: str) -> duckdb.Expression:
    text = duckdb.FunctionExpression(
        "nullif", duckdb.ColumnExpression(column), duckdb.ConstantExpression("")
    )
    return text.cast("JSON").cast(TAG_MAP).alias(column)


def _threads(connection: duckdb.DuckDBPyConnection, columns: list[str], billing_period: str) -> int:
    """How many threads to sum a period with: fewer, the more Bedrock lines it has."""
    # Known from the files' metadata: a small month isn't read for this.
    ((threads, lines),) = connection.execute(
        "SELECT current_setting('threads'), COUNT(*) FROM cur"
    ).fetchall()
    if threads * lines > LINES_AND_THREADS:
        facts = exp.Subquery(this=fitted("facts", columns))
        sql = query.render(exp.select("COUNT(*)").from_(facts), "duckdb")
        ((lines,),) = connection.execute(sql, {"billing_period": billing_period}).fetchall()
    return max(1, min(int(threads), LINES_AND_THREADS // max(int(lines), 1)))


def _write(
    connection: duckdb.DuckDBPyConnection, spend: exp.Expr, billing_period: str, out: Path
) -> None:
    sql = query.into_file(query.render(spend, "duckdb"))
    try:
        connection.execute(sql, {"billing_period": billing_period, "out": str(out)})
    except duckdb.IOException as error:
        # Which file it was is told in words only; none that is read lies beside `out`.
        if str(out) not in str(error):
            raise
        raise SourceProblem(
            f"Billing period {billing_period} can't be written to the spend store.",
            "That month is not brought up to date; figures read earlier stay as they were.",
            "Check the free space and the permissions of the store's folder.",
        ) from error


def _holds_data(partition: Path) -> bool:
    # `metadata/BILLING_PERIOD=…` lies beside `data/BILLING_PERIOD=…` and holds manifests only.
    named = PARTITION.fullmatch(partition.name) is not None
    return named and partition.is_dir() and partition.parent.name != "metadata"


def _month(partition: Path) -> str:
    return partition.name[-len("YYYY-MM") :]


def _current_files(partition: Path) -> list[Path]:
    """The Parquet files of a partition; of exports that keep every delivery, the last one's.

    "Create new" exports put each delivery into a folder named by its time below the partition
    (Data Exports User Guide, "Export delivery"): reading them all would count the bill many times.
    """
    files = sorted(partition.glob("*.parquet"))
    if files:
        return files
    deliveries = sorted(folder for folder in partition.iterdir() if any(folder.glob("*.parquet")))
    return sorted(deliveries[-1].glob("*.parquet")) if deliveries else []


def _describe(month: str, files: list[Path]) -> SourcePeriod:
    stats = [(file, file.stat()) for file in files]
    signature = "\n".join(f"{file}|{stat.st_size}|{stat.st_mtime_ns}" for file, stat in stats)
    newest = max(stat.st_mtime for _, stat in stats)
    return SourcePeriod(
        billing_period=month,
        version=hashlib.sha256(signature.encode()).hexdigest()[:16],
        data_as_of=datetime.fromtimestamp(newest, UTC).replace(microsecond=0),
    )


def _exhausted(billing_period: str) -> SourceProblem:
    return SourceProblem(
        f"This machine has too little memory, and disk to make up for it, to read billing period "
        f"{billing_period}.",
        "Nothing newer is shown of that month; figures read earlier stay as they were.",
        "The export is not to blame: give the machine or container more memory, or free space on "
        "the disk of the spend store.",
    )


def _unreadable(files: list[Path], billing_period: str) -> SourceProblem:
    broken = [file.name for file in files if not _is_readable(file)]
    which = f" ({', '.join(broken[:3])})" if broken else ""
    return SourceProblem(
        f"Files of billing period {billing_period} can't be read{which}.",
        "That month is not brought up to date; figures read earlier stay as they were.",
        "Copy the files from the export again: they may be incomplete or not Parquet.",
    )


def _is_readable(file: Path) -> bool:
    try:
        parquet.read_metadata(file)
    except (OSError, pa.ArrowInvalid):
        return False
    return True
