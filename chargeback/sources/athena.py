"""A CUR 2.0 table in Amazon Athena, read with PyAthena by the statements of queries/cur."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, reduce
from pathlib import Path
from threading import Event, Lock
from typing import Any

import duckdb
import pyarrow as pa
import pyathena
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow import parquet
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from pyathena.error import Error as PyAthenaError
from pyathena.formatter import Formatter
from pyathena.model import AthenaQueryExecution
from pyathena.util import RetryConfig, parse_output_location, retry_api_call, stop_retries_on
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem, UsageProblem
from chargeback.settings import AthenaSettings
from chargeback.sources.athena_problems import (
    explained,
    no_output_location,
    not_finished,
    stopped,
    unreadable_results,
)
from chargeback.sources.cur2 import COLUMN_TYPES, Extract, SourcePeriod, fitted, notices

PARAMETER_LENGTH = 1024
"""Characters in one execution parameter (Athena API Reference, StartQueryExecution)."""
QUERY_BYTES = 262_144
"""Size of a query (Athena User Guide, "Service Quotas"); what is put into it counts here too."""
ARRAY_ELEMENTS = 254
"""Elements of one ARRAY[…] that every Trino behind Athena engine 3 accepts (trinodb #16033)."""
PRICE_PER_TERABYTE = Decimal(5)
LEAST_BYTES = 10 * 1024**2
"""What Athena charges for a query at least (Amazon Athena pricing, "SQL queries")."""
REUSE_MINUTES = 60
"""How old an answer may be that Athena gives again instead of scanning for it."""

LOG = logging.getLogger(__name__)

# PyAthena logs each failure with its traceback and AWS's own words, which name accounts and
# resources; without a handler Python would print them to stderr. Problems say what is needed.
logging.getLogger("pyathena").addHandler(logging.NullHandler())


class AthenaTable:
    """One CUR 2.0 table. Credentials, region and endpoints are what boto3's environment says."""

    name = "CUR 2.0 table"
    engine = "Athena"
    recheck_seconds = 3600  # AWS writes an export at most three times a day; asking costs a query
    parallel = 4  # far below the 20 queries that every account may run at a time ("Service Quotas")

    def __init__(self, settings: AthenaSettings) -> None:
        self.settings = settings
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
        with self._connected() as connection:
            rows = self._asked(connection, *self._bound(query.load("cur/athena_periods"), {}))
        if not rows:
            raise SourceProblem(
                "The Athena table holds no billing period.",
                "There is no bill to show.",
                "Wait for the export's first delivery, or load the table's partitions.",
            )
        periods = [_period(*row) for row in rows]
        self._versions = {period.billing_period: period.version for period in periods}
        return periods

    def extract(self, billing_period: str, out: Path, stop: Event | None = None) -> Extract:
        """Writes one period's daily spend to `out` (zstd Parquet).

        Raises:
            SourceProblem: Athena can't be asked, its answer can't be fetched, or `stop` was set.
        """
        stop = stop or Event()
        with stop_retries_on(stop), self._connected(stop) as connection:
            columns = self._columns_of(connection)
            sql, parameters = self._bound(
                fitted("daily_spend", columns), {"billing_period": billing_period}
            )
            # UNLOAD writes Parquet from all workers at once and keeps decimals and text as they
            # are; the plain answer would be one CSV file.
            unload, _ = Formatter.wrap_unload(sql, _output_location(connection))
            with self._run(connection, unload, parameters, kind=_UnloadCursor) as cursor:
                _merge(connection, _manifest(connection, cursor), out, result_schema("daily_spend"))
                return Extract(
                    notices=notices(columns),
                    query_ids=(str(cursor.query_id),),
                    bytes_scanned=cursor.data_scanned_in_bytes or 0,
                )

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number; parameters of queries/cur/lines.sql.

        A page of rows comes through the API, typed and in order; UNLOAD would spread it over
        files without an order (Athena User Guide, "UNLOAD"). Athena may give a page again that it
        gave before, for nothing: the statement names the version of the bill that it was asked of.

        Raises:
            SourceProblem: Athena can't be asked.
            UsageProblem: the number stands for more identities and meters than one query holds.
        """
        with self._connected() as connection:
            statement = fitted("lines", self._columns_of(connection))
            sql, literals = self._bound(statement, parameters)
            version = self._versions.get(parameters["billing_period"])
            if version:
                sql = f"{sql} /* {_fingerprint(version, literals)} */"
            rows = self._asked(connection, sql, literals, reuse=version is not None)
        schema = result_schema("lines")
        values = [[row[i] for row in rows] for i in range(len(schema))]
        return pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)],
            schema=schema,
        )

    @contextmanager
    def _connected(self, stop: Event | None = None) -> Iterator[Connection[Cursor]]:
        try:
            with pyathena.connect(
                work_group=self.settings.workgroup,
                s3_staging_dir=self.settings.s3_staging_dir,
                region_name=self.settings.region,
                catalog_name=self.settings.catalog,
                schema_name=self.settings.database,
                poll_interval=0.5,
                on_poll=_watch(stop or Event(), self.settings.timeout_seconds),
                # Someone may be waiting: about 15 s of retries, 10 s to find the endpoint dead.
                retry_config=RetryConfig(attempt=4),
                config=Config(connect_timeout=10),
            ) as connection:
                yield connection
        except (PyAthenaError, BotoCoreError, ClientError, Boto3Error) as error:
            raise explained(error) from error
        except pa.ArrowException as error:
            raise unreadable_results() from error

    @contextmanager
    def _run(
        self,
        connection: Connection[Cursor],
        sql: str,
        parameters: list[str],
        *,
        kind: type[Cursor] = Cursor,
        reuse: bool = False,
    ) -> Iterator[Cursor]:
        """Runs a query to its end, or cancels it when `_watch` says so."""
        with connection.cursor(kind) as cursor:
            try:
                cursor.execute(
                    sql,
                    parameters,
                    paramstyle="qmark",
                    result_reuse_enable=reuse,
                    result_reuse_minutes=REUSE_MINUTES,
                )
            except SourceProblem:
                cursor.cancel()
                raise
            scanned = cursor.data_scanned_in_bytes or 0
            cost = round(price(scanned), 5)
            LOG.info("Athena query %s: %d bytes, $%s", cursor.query_id, scanned, cost)
            yield cursor

    def _columns_of(self, connection: Connection[Cursor]) -> tuple[str, ...]:
        """The table's columns, asked once after each look at its periods."""
        with self._asking_columns:
            columns = self._columns
            if not columns:
                sql, _ = self._bound(query.load("cur/columns"), {})
                with self._run(connection, sql, []) as cursor:
                    columns = tuple(column[0] for column in cursor.description or [])
                self._columns = columns
            return columns

    def _asked(
        self,
        connection: Connection[Cursor],
        sql: str,
        parameters: list[str],
        *,
        reuse: bool = False,
    ) -> list[tuple[Any, ...]]:
        with self._run(connection, sql, parameters, reuse=reuse) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def _bound(self, statement: exp.Expr, values: Mapping[str, Any]) -> tuple[str, list[str]]:
        table = exp.table_(self.settings.table, db=self.settings.database, quoted=True)
        return bound(query.with_table(statement, "cur", table), values)


def _watch(stop: Event, seconds: int) -> Callable[[AthenaQueryExecution], None]:
    """What PyAthena asks, while it waits for queries, whether to go on."""
    deadline = time.monotonic() + seconds

    def check(execution: AthenaQueryExecution) -> None:
        if execution.state in AthenaQueryExecution.TERMINAL_STATES:
            return
        if stop.is_set():
            raise stopped()
        if time.monotonic() > deadline:
            raise not_finished(seconds)

    return check


class _UnloadCursor(Cursor):
    """Runs an UNLOAD: its rows are files, so no result is fetched."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401  (PyAthena's own)
        super().__init__(**kwargs)
        self._result_set_kwargs = {"_pre_fetch": False}


def price(bytes_scanned: int) -> Decimal:
    """What one query costs, in US dollars; regions differ a little, cancelled queries cost too."""
    return PRICE_PER_TERABYTE * max(bytes_scanned, LEAST_BYTES) / 1024**4


def bound(statement: exp.Expr, values: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Athena SQL with `?` and the execution parameters for it, in order.

    Texts and NULL become parameters, so none ever stands in the SQL. A list becomes an array of
    them, a text too long for one parameter a concatenation. Whole numbers are put into the syntax
    tree: Athena takes `?` in WHERE only, not after OFFSET and LIMIT (Athena User Guide, "Use
    parameterized queries").

    Raises:
        UsageProblem: it is more than one query holds.
    """
    literals: dict[str, str] = {}

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return _placed(node.this, values[node.this], literals)
        return node

    tree = statement.transform(put)
    sql, names = query.positional(query.render(tree, "athena"))
    parameters = [literals[name] for name in names]
    if sum(len(text.encode()) for text in (sql, *parameters)) > QUERY_BYTES:
        raise UsageProblem(
            "This number stands for too many callers and meters to list its single lines.",
            "Athena was not asked, so nothing was charged.",
            "Go one level deeper, for example to one principal or one model, and list them there.",
        )
    return sql, parameters


def literal(value: str | int | None) -> str:
    """A value as Athena reads an execution parameter: an expression, so texts come quoted."""
    return str(exp.convert(value).sql("athena"))


def _placed(name: str, value: str | int | list[str] | None, literals: dict[str, str]) -> exp.Expr:
    """What stands for a parameter in the statement; adds the literals that it needs."""
    if isinstance(value, int):
        return exp.Literal.number(value)
    if isinstance(value, list):
        marks = [_placed(f"{name}_{i}", item, literals) for i, item in enumerate(value)]
        starts = range(0, max(len(marks), 1), ARRAY_ELEMENTS)
        return _joined([exp.Array(expressions=marks[i : i + ARRAY_ELEMENTS]) for i in starts])
    if value and len(literal(value)) > PARAMETER_LENGTH:
        half = PARAMETER_LENGTH // 2 - 1  # fits even if every character is a quote, and doubled
        starts = range(0, len(value), half)
        return _joined([_placed(f"{name}_{i}", value[i : i + half], literals) for i in starts])
    literals[name] = literal(value)
    return exp.Placeholder(this=name)


def _fingerprint(*what: object) -> str:
    """Tells two questions apart that have the same text."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _joined(parts: Sequence[exp.Expr]) -> exp.Expr:
    return reduce(lambda left, right: exp.DPipe(this=left, expression=right), parts)


@lru_cache(maxsize=4)
def result_schema(statement: str) -> pa.Schema:
    """Names and types of a statement's result: what DuckDB says of it over an empty table.

    So that a period has the same types whichever source it was read from, and has them even when
    Athena writes no file because no line is Bedrock's.
    """
    tree = query.load(f"cur/{statement}")
    columns = {"billing_period": "VARCHAR", **COLUMN_TYPES}
    nulls = [
        exp.alias_(exp.cast(exp.null(), type_, dialect="athena"), column)
        for column, type_ in columns.items()
    ]
    with duckdb.connect() as connection:
        connection.sql(query.render(exp.select(*nulls).limit(0), "duckdb")).create_view("cur")
        nothing = dict.fromkeys(query.parameters(tree))
        return connection.sql(query.render(tree, "duckdb"), params=nothing).to_arrow_table().schema


def _period(billing_period: str, newest_file: int, files: int, lines: int) -> SourcePeriod:
    return SourcePeriod(
        billing_period=billing_period,
        version=f"{newest_file}-{files}-{lines}",
        data_as_of=datetime.fromtimestamp(newest_file, UTC),
    )


def _output_location(connection: Connection[Cursor]) -> str:
    """Where UNLOAD may write: the setting's folder, or else the workgroup's."""
    if connection.s3_staging_dir:
        return connection.s3_staging_dir
    athena: Any = connection.client
    answer = retry_api_call(
        athena.get_work_group, connection.retry_config, WorkGroup=connection.work_group
    )
    results = answer["WorkGroup"].get("Configuration", {}).get("ResultConfiguration", {})
    location: str = results.get("OutputLocation", "")
    if not location:
        raise no_output_location()
    return location if location.endswith("/") else f"{location}/"


def _manifest(connection: Connection[Cursor], cursor: Cursor) -> list[str]:
    """The S3 locations of the files that an UNLOAD wrote; none when it had no row to write."""
    if not cursor.data_manifest_location:
        raise explained(PyAthenaError("UNLOAD left no data manifest"))
    bucket, key = parse_output_location(cursor.data_manifest_location)
    s3: Any = connection.s3_client
    answer = retry_api_call(s3.get_object, connection.retry_config, Bucket=bucket, Key=key)
    with closing(answer["Body"]) as body:
        manifest: str = body.read().decode()
    return manifest.split()


def _merge(
    connection: Connection[Cursor], locations: Sequence[str], out: Path, schema: pa.Schema
) -> None:
    """Copies the rows of Parquet files in S3 to one local file, never all in memory.

    boto3 fetches them and not Arrow's S3 client, which knows neither AWS_ENDPOINT_URL nor profiles
    nor AWS_CA_BUNDLE.
    """
    s3: Any = connection.s3_client
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for location in locations:
            bucket, key = parse_output_location(location)
            with tempfile.TemporaryFile(dir=out.parent) as file:
                s3.download_fileobj(bucket, key, file)
                for batch in parquet.ParquetFile(file).iter_batches():
                    rows = pa.Table.from_batches([batch])
                    writer.write_table(rows.select(schema.names).cast(schema))
