"""An Athena service that runs queries, beside moto's S3: one HTTP endpoint for both.

Only what AWS's clients can see is here: queries go through QUEUED and RUNNING, their results lie
in S3 as CSV with metadata or as UNLOAD's Parquet files with a data manifest, pages of results have
tokens, and limits on requests are checked. API: Athena API Reference.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape

import boto3
import duckdb
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.athena import engine, objects
from tests.athena.external import ExternalTables
from tests.athena.failures import Failures, Fate, Refusal
from tests.athena.results import column_info, listed, row_of, texts, unloaded

REGION = "eu-central-1"
BUCKET = "athena-results"
QUERY_BYTES, PARAMETER_LENGTH, PAGE_ROWS, TOKEN_LENGTH = 262_144, 1024, 1000, 32
"""Limits of StartQueryExecution and GetQueryResults."""
DDL = ("CREATE", "ALTER")
SLOW_ANSWER_SECONDS = 0.4
"""How long a question for a query's state may wait for its end."""

Json = dict[str, Any]


@dataclass
class Query:
    """One query execution."""

    sql: str
    parameters: list[str]
    workgroup: str
    context: Json
    output: str
    reuse: Json
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    answer: engine.Answer | None = None
    reused: bool = False
    states: list[str] = field(default_factory=list)
    """What the client was told, in order."""
    stopped: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    connection: duckdb.DuckDBPyConnection | None = None

    @property
    def bytes_scanned(self) -> int:
        """What Athena charges for."""
        return self.answer.bytes_scanned if self.answer and not self.reused else 0


class RefusedCall(Exception):  # noqa: N818  (what AWS does with a call)
    """An API call that is answered with an error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class AthenaService:
    """Athena and S3 of one account at `endpoint`; a context manager."""

    def __init__(self) -> None:
        self.tables: dict[str, Path] = {}
        """Folder of a CUR 2.0 export by `database.table`."""
        self.workgroups: dict[str, Json] = {"primary": {}}
        """`ResultConfiguration` by workgroup."""
        self.queries: list[Query] = []
        """Every query that was accepted, oldest first."""
        self.calls: Counter[str] = Counter()
        """How often each operation was asked for, refused or not."""
        self.failures = Failures()
        self.shows_states = False
        """Whether QUEUED and RUNNING are answered before the end, however fast a query is."""
        self._changed = Condition()
        self._writing = Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_QuietHandler
        )
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._workers = ThreadPoolExecutor(8)

    def __enter__(self) -> AthenaService:
        self._thread.start()
        self.s3: Any = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="service",
            aws_secret_access_key="service",  # noqa: S106  (moto checks none)
        )
        self.external = ExternalTables()
        self.make_bucket()
        return self

    def make_bucket(self) -> None:
        """The bucket of results, if others who share moto's S3 in this process emptied it."""
        if BUCKET not in {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}:
            place = {"LocationConstraint": REGION}
            self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def __exit__(self, *error: object) -> None:
        self.reset()
        self._workers.shutdown()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reset(self) -> None:
        """Ends what runs, forgets all queries and failures; tables and workgroups stay."""
        self.failures.clear()
        self.shows_states = False
        for query in self.queries:
            query.stopped.set()
        self.queries = []
        self.calls.clear()

    def await_running(self, words: str, count: int) -> None:
        """Waits until `count` queries that contain `words` are running."""

        def are_running() -> bool:
            found = [q for q in self.queries if q.state == "RUNNING" and words in q.sql]
            return len(found) == count

        with self._changed:
            assert self._changed.wait_for(are_running, timeout=60)

    def _serve(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        try:
            if service != "AmazonAthena":
                return self._answer_of_s3(environ, start)
            self._refuse_if_planned(operation)
            length = int(environ.get("CONTENT_LENGTH") or 0)
            answer = self._operations[operation](
                self, json.loads(environ["wsgi.input"].read(length))
            )
            return _answered(start, 200, answer)
        except RefusedCall as refused:
            return _refused(start, refused.refusal, as_xml=service != "AmazonAthena")

    def _answer_of_s3(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """S3's operations as their methods say; the service's own calls always pass."""
        refusal = None
        if "Credential=service/" not in environ.get("HTTP_AUTHORIZATION", ""):
            refusal = self._planned(_operation_of(environ))
        if refusal and not refusal.too_late:
            raise RefusedCall(refusal)
        # S3 looks at a write's condition and writes in one step; moto does so in two.
        with (
            self._writing
            if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ
            else (nullcontext())
        ):
            if refusal:
                list(self._moto(environ, lambda *_: None))
                raise RefusedCall(refusal)
            return list(self._moto(environ, start))

    def _refuse_if_planned(self, operation: str) -> None:
        if refusal := self._planned(operation):
            raise RefusedCall(refusal)

    def _planned(self, operation: str) -> Refusal | None:
        self.calls[operation] += 1
        return self.failures.refusal_of(operation)

    def _start_query_execution(self, request: Json) -> Json:
        workgroup = request.get("WorkGroup", "primary")
        location = request.get("ResultConfiguration", {}).get("OutputLocation")
        output = location or self._workgroup(workgroup).get("OutputLocation", "")
        query = Query(
            sql=request["QueryString"],
            parameters=request.get("ExecutionParameters", []),
            workgroup=workgroup,
            context=request.get("QueryExecutionContext", {}),
            output=output,
            reuse=request.get("ResultReuseConfiguration", {}),
        )
        _check(query, request)
        self.queries.append(query)
        self._workers.submit(self._run, query, self.failures.fate_of(query.sql))
        return {"QueryExecutionId": query.id}

    def _run(self, query: Query, fate: Fate | None) -> None:
        with self._changed:
            query.state = "RUNNING"
            self._changed.notify_all()
        state, query.reason = "FAILED", "GENERIC_INTERNAL_ERROR: "
        try:
            if fate and fate.end == "ENDLESS":
                query.stopped.wait()
            elif fate and fate.end == "FAILED":
                raise engine.QueryFailed(fate.reason)
            else:
                self._answer(query)
                self._publish(query, fate.end if fate else "")
            state, query.reason = "SUCCEEDED", ""
        except engine.QueryFailed as failed:
            query.reason = str(failed)
        finally:
            query.ended = datetime.now(UTC)
            query.state = "CANCELLED" if query.stopped.is_set() else state
            query.done.set()

    def _answer(self, query: Query) -> None:
        def watch(connection: duckdb.DuckDBPyConnection) -> None:
            query.connection = connection

        before = self._reusable(query)
        query.reused = before is not None
        query.answer = before or engine.run(
            self.tables, self.external, query.sql, query.parameters, watch
        )
        query.connection = None

    def _reusable(self, query: Query) -> engine.Answer | None:
        if not query.reuse.get("ResultReuseByAgeConfiguration", {}).get("Enabled"):
            return None
        # AWS does not say that parameters are compared, so nobody may count on it.
        asked = (query.sql, query.workgroup, query.output)
        return next(
            (
                old.answer
                for old in self.queries
                if (old.sql, old.workgroup, old.output) == asked and old.state == "SUCCEEDED"
            ),
            None,
        )

    def _publish(self, query: Query, end: str) -> None:
        """Writes the results to S3, as Athena does before a query is called succeeded."""
        assert query.answer
        written = unloaded if query.answer.unload_to else listed
        for location, content in written(query.answer, query.output, query.id).items():
            if location.endswith("-manifest.csv") or not end:
                objects.put(location, content)
            elif end == "GARBLED":
                objects.put(location, content[: len(content) // 2])

    def _get_query_execution(self, request: Json) -> Json:
        query = self._query(request)
        query.states.append(self._state_to_tell(query))
        status: Json = {"State": query.states[-1], "SubmissionDateTime": query.started.timestamp()}
        if query.ended and query.reason:
            retryable = {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False}
            status |= {
                "StateChangeReason": query.reason,
                "AthenaError": {**retryable, "ErrorMessage": query.reason},
            }
        if query.ended:
            status["CompletionDateTime"] = query.ended.timestamp()
        statistics: Json = {
            "DataScannedInBytes": query.bytes_scanned,
            "ResultReuseInformation": {"ReusedPreviousResult": query.reused},
        }
        if query.answer and query.answer.unload_to:
            statistics["DataManifestLocation"] = f"{query.output}{query.id}-manifest.csv"
        return {
            "QueryExecution": {
                "QueryExecutionId": query.id,
                "Query": query.sql,
                "StatementType": "DDL" if query.sql.startswith(DDL) else "DML",
                "SubstatementType": "UNLOAD" if "DataManifestLocation" in statistics else "SELECT",
                "ResultConfiguration": {"OutputLocation": f"{query.output}{query.id}.csv"},
                "ResultReuseConfiguration": query.reuse,
                "QueryExecutionContext": query.context,
                "Status": status,
                "Statistics": statistics,
                "WorkGroup": query.workgroup,
                "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
                "ExecutionParameters": query.parameters,
            }
        }

    def _state_to_tell(self, query: Query) -> str:
        if self.shows_states and len(query.states) < 2:
            return ("QUEUED", "RUNNING")[len(query.states)]
        # Tests would only wait for the client to ask again.
        query.done.wait(SLOW_ANSWER_SECONDS)
        return query.state

    def _get_query_results(self, request: Json) -> Json:
        query = self._query(request)
        count = request.get("MaxResults", PAGE_ROWS)
        if query.state != "SUCCEEDED" or not query.answer or not 0 < count <= PAGE_ROWS:
            raise RefusedCall(_invalid(f"Query did not finish successfully. State: {query.state}"))
        start = int(request.get("NextToken", 0))
        rows = [] if query.answer.unload_to else texts(query.answer)
        page: Json = {
            "ResultSet": {
                "Rows": [row_of(row) for row in rows[start : start + count]],
                "ResultSetMetadata": {"ColumnInfo": column_info(query.answer)},
            },
            "UpdateCount": 0,
        }
        return page | ({"NextToken": str(start + count)} if start + count < len(rows) else {})

    def _stop_query_execution(self, request: Json) -> Json:
        query = self._query(request)
        query.stopped.set()
        if query.connection:
            query.connection.interrupt()
        return {}

    def _get_work_group(self, request: Json) -> Json:
        name = request["WorkGroup"]
        results = {"ResultConfiguration": self._workgroup(name)}
        return {"WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": results}}

    def _workgroup(self, name: str) -> Json:
        if name not in self.workgroups:
            raise RefusedCall(_invalid(f"WorkGroup {name} is not found."))
        return self.workgroups[name]

    def _query(self, request: Json) -> Query:
        for query in self.queries:
            if query.id == request["QueryExecutionId"]:
                return query
        raise RefusedCall(_invalid(f"QueryExecution {request['QueryExecutionId']} was not found"))

    _operations: dict[str, Callable[[AthenaService, Json], Json]] = {  # noqa: RUF012
        "StartQueryExecution": _start_query_execution,
        "GetQueryExecution": _get_query_execution,
        "GetQueryResults": _get_query_results,
        "StopQueryExecution": _stop_query_execution,
        "GetWorkGroup": _get_work_group,
    }


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """A test's output is not a server's log."""


def _check(query: Query, request: Json) -> None:
    """What Athena refuses before it runs anything."""
    if not query.output:
        raise RefusedCall(
            _invalid(
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
        )
    if not query.output.startswith(f"s3://{BUCKET}/"):
        raise RefusedCall(_invalid("Unable to verify/create output bucket"))
    query.output = query.output.rstrip("/") + "/"
    if sum(len(text.encode()) for text in (query.sql, *query.parameters)) > QUERY_BYTES:
        raise RefusedCall(_invalid("Query string is too long"))
    if any(not 0 < len(text) <= PARAMETER_LENGTH for text in query.parameters):
        raise RefusedCall(_invalid("executionParameters failed to satisfy constraint"))
    if len(request.get("ClientRequestToken", "")) < TOKEN_LENGTH:
        raise RefusedCall(_invalid("clientRequestToken failed to satisfy constraint"))


def _operation_of(environ: WSGIEnvironment) -> str:
    """S3's name for what is asked."""
    method = environ["REQUEST_METHOD"]
    if method == "POST" and "uploadId=" in environ["QUERY_STRING"]:
        return "CompleteMultipartUpload"
    if method == "GET" and "list-type=2" in environ["QUERY_STRING"]:
        return "ListObjects"
    return f"{method.title()}Object"


def _invalid(message: str) -> Refusal:
    return Refusal("", "InvalidRequestException", message)


def _refused(start: StartResponse, refusal: Refusal, *, as_xml: bool) -> Iterable[bytes]:
    if not as_xml:
        answer = {"__type": refusal.code, "Message": refusal.message, "message": refusal.message}
        return _answered(start, refusal.status, answer)
    code, message = escape(refusal.code), escape(refusal.message)
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    start(f"{refusal.status} Refused", [("Content-Type", "application/xml")])
    return [body]


def _answered(start: StartResponse, status: int, answer: Json) -> Iterable[bytes]:
    body = json.dumps(answer).encode()
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
    start(f"{status} {'OK' if status < 400 else 'Refused'}", headers)
    return [body]
