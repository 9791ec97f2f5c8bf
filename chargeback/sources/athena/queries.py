"""Queries in Amazon Athena through PyAthena: run, watched, priced, their answers typed."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

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

from chargeback.aws.session import new_session
from chargeback.errors import SourceProblem
from chargeback.sources.athena.costs import AthenaCosts, price
from chargeback.sources.athena.problems import (
    as_problem,
    no_output_location,
    not_finished,
    stopped,
    unreadable_results,
)
from chargeback.sources.athena.settings import AthenaSettings

REUSE_MINUTES = 24 * 60
"""How old an answer may be that Athena gives again, for nothing, instead of scanning. What is
asked so names versions that never change, and a day is longer than one stays the newest."""

LOG = logging.getLogger("chargeback.athena")

# PyAthena logs each failure with its traceback and AWS's own words, which name accounts and
# resources; without a handler Python would print them to stderr. Problems say what is needed.
logging.getLogger("pyathena").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class QueryRun:
    """What a query was to Athena."""

    query_id: str
    bytes_scanned: int


@dataclass(frozen=True, slots=True)
class AthenaQueries:
    """Runs queries. Credentials, region and endpoints are what boto3's environment says."""

    settings: AthenaSettings
    costs: AthenaCosts | None = None

    @contextmanager
    def connected(self, stop: Event | None = None) -> Iterator[Connection[Cursor]]:
        """A connection for a few queries, which are cancelled once `stop` is set.

        Raises:
            SourceProblem: for whatever goes wrong with AWS inside of it.
        """
        stop = stop or Event()
        try:
            with (
                stop_retries_on(stop),
                pyathena.connect(
                    work_group=self.settings.workgroup,
                    s3_staging_dir=self.settings.s3_staging_dir,
                    region_name=self.settings.region,
                    session=new_session(region_name=self.settings.region),
                    catalog_name=self.settings.catalog,
                    schema_name=self.settings.database,
                    poll_interval=0.5,
                    on_poll=_watch(stop, self.settings.timeout_seconds),
                    # Someone may be waiting: about 15 s of retries, 10 s to find the endpoint dead.
                    retry_config=RetryConfig(attempt=4),
                    config=Config(connect_timeout=10),
                ) as connection,
            ):
                yield connection
        except (PyAthenaError, BotoCoreError, ClientError, Boto3Error) as error:
            raise as_problem(error) from error
        except pa.ArrowException as error:
            raise unreadable_results() from error

    @contextmanager
    def run(
        self,
        connection: Connection[Cursor],
        sql: str,
        parameters: Sequence[str] = (),
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
            self._count(cursor)
            yield cursor

    def _count(self, cursor: Cursor) -> None:
        """Tells what a query cost.

        DDL and answers of an earlier query are free (Amazon Athena pricing, "SQL queries").
        """
        scanned = cursor.data_scanned_in_bytes or 0
        is_free = cursor.statement_type == "DDL" or bool(cursor.reused_previous_result)
        cost = Decimal() if is_free else round(price(scanned), 5)
        LOG.info("Athena query %s: %d bytes, $%s", cursor.query_id, scanned, cost)
        if self.costs and not is_free:
            self.costs.add(scanned)

    def done(
        self, connection: Connection[Cursor], sql: str, parameters: Sequence[str] = ()
    ) -> QueryRun:
        """Runs a statement that answers nothing."""
        with self.run(connection, sql, parameters, kind=_SilentCursor) as cursor:
            return _ran(cursor)

    def rows(
        self, connection: Connection[Cursor], sql: str, parameters: Sequence[str] = ()
    ) -> list[tuple[Any, ...]]:
        """Runs a query; its answer."""
        with self.run(connection, sql, parameters) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def table(
        self,
        connection: Connection[Cursor],
        sql: str,
        parameters: Sequence[str],
        schema: pa.Schema,
        *,
        reuse: bool = False,
    ) -> pa.Table:
        """The same with the types of `schema`, in the query's order, a thousand rows a page."""
        with self.run(connection, sql, parameters, reuse=reuse) as cursor:
            rows = cursor.fetchall()
        values = [[row[i] for row in rows] for i in range(len(schema))]
        return pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)],
            schema=schema,
        )

    def unload(
        self,
        connection: Connection[Cursor],
        sql: str,
        parameters: Sequence[str],
        schema: pa.Schema,
        out: Path,
    ) -> QueryRun:
        """Writes any number of rows, in no order, to the file `out` (zstd Parquet).

        UNLOAD writes Parquet from all workers at once and keeps decimals and text as they are; the
        plain answer would be one CSV file.
        """
        unload, _ = Formatter.wrap_unload(sql, _output_location(connection))
        with self.run(connection, unload, parameters, kind=_SilentCursor) as cursor:
            _merge(connection, _manifest(connection, cursor), out, schema)
            return _ran(cursor)


def _ran(cursor: Cursor) -> QueryRun:
    return QueryRun(str(cursor.query_id), cursor.data_scanned_in_bytes or 0)


def _watch(stop: Event, seconds: int) -> Callable[[AthenaQueryExecution], None]:
    """What PyAthena asks, while it waits for a query, whether to go on."""
    seen: dict[str | None, float] = {}

    def check(execution: AthenaQueryExecution) -> None:
        if execution.state in AthenaQueryExecution.TERMINAL_STATES:
            return
        if stop.is_set():
            raise stopped()
        now = time.monotonic()
        if now > seen.setdefault(execution.query_id, now) + seconds:
            raise not_finished(seconds)

    return check


class _SilentCursor(Cursor):
    """Runs what has no rows to fetch: an UNLOAD, whose rows are files, an INSERT, a DDL."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401  (PyAthena's own)
        super().__init__(**kwargs)
        self._result_set_kwargs = {"_pre_fetch": False}


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
        raise as_problem(PyAthenaError("UNLOAD left no data manifest"))
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
