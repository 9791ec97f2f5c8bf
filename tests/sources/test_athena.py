"""What can be said of the Athena source without Athena: parameters, statements, problems."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from botocore import exceptions as botocore
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from pyathena.error import DatabaseError, OperationalError
from sqlglot import exp

from chargeback import query
from chargeback.errors import SourceProblem, UsageProblem
from chargeback.sources.athena.parameters import (
    ARRAY_ELEMENTS,
    PARAMETER_LENGTH,
    QUERY_BYTES,
    Value,
    bind,
    literal,
)
from chargeback.sources.athena.problems import as_problem, no_output_location
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.cur2 import COLUMN_TYPES, REQUIRED, fit, result_schema
from tests.bills import NONE_FOLDED

ACCOUNT = "111122223333"
SETTINGS = AthenaSettings(database="bill", table="cur2", region="us-east-1")
VALUES: dict[str, Any] = {
    "billing_period": "2026-07",
    "products": [f"{ACCOUNT}|o'product", "|second"],
    "identities": [f"{ACCOUNT}|arn:aws:iam::{ACCOUNT}:user/o'hara|{{}}|{{}}|{{}}"],
    **NONE_FOLDED,
    "meters": ["AmazonBedrock|USE1-tokens|InvokeModelInference|Usage|us-east-1|USD", "second"],
    "usage_date": None,
    "page_start": 100,
    "page_size": 50,
}
OF_ONE_PERIOD = ("cur/daily_spend", "cur/facts", "cur/lines", "cur/products")
OF_ALL_PERIODS = ("cur/athena_periods", "cur/columns")  # neither reads a column of the bill

texts = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def as_athena_puts_it(sql: str, parameters: Sequence[str]) -> str:
    """The statement that Athena runs: each `?` is the expression that its parameter says."""
    tokens = sqlglot.tokenize(sql, read="trino")
    marks = [token for token in tokens if token.token_type == sqlglot.TokenType.PLACEHOLDER]
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[: mark.start]}{parameter}{sql[mark.end + 1 :]}"
    return sql


ANYWHERE = pytest.mark.parametrize(
    "sql",
    ["SELECT x FROM t WHERE x = CAST(:given AS {0})", "SELECT CAST(:given AS {0}) AS x FROM t"],
)
"""A parameter in WHERE, and one elsewhere."""
TEXT, LIST = "VARCHAR", "ARRAY(VARCHAR)"


def put(sql: str, type_: str, value: Value) -> tuple[str, list[str]]:
    return bind(sqlglot.parse_one(sql.format(type_), read="athena"), {"given": value})


def answer(sql: str, held: object) -> Any:  # noqa: ANN401  (whatever the statement asks for)
    """What a statement finds in the table `t`, whose column `x` holds one value."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT $1 AS x", [held])
        [duck] = sqlglot.transpile(sql, read="trino", write="duckdb")
        [value] = connection.execute(duck).fetchone() or [None]
    return value


def rendered(name: str) -> tuple[str, list[str]]:
    table = exp.table_(SETTINGS.table, db=SETTINGS.database, quoted=True)
    return bind(query.with_table(query.load(name), "cur", table), VALUES)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-07", "'2026-07'"),
        ("o'hara", "'o''hara'"),
        ("'; DROP TABLE x --", "'''; DROP TABLE x --'"),
        ("back\\slash", "'back\\slash'"),
        ("", "''"),
        (None, "NULL"),
        (50, "50"),
    ],
)
def test_a_literal_is_an_expression_of_athenas(value: str | int | None, expected: str) -> None:
    assert literal(value) == expected


@given(texts)
def test_a_text_comes_back_from_its_literal(text: str) -> None:
    parsed = sqlglot.parse_one(literal(text), read="trino")
    assert isinstance(parsed, exp.Literal)
    assert parsed.this == text


@ANYWHERE
@settings(max_examples=40, deadline=None)  # each opens a database: its time is the machine's
@given(items=st.lists(texts, min_size=1, max_size=5))
def test_a_list_comes_back_from_where_it_was_put(sql: str, items: list[str]) -> None:
    assert answer(as_athena_puts_it(*put(sql, LIST, items)), items) == items


@ANYWHERE
@pytest.mark.parametrize("text", ["'" * 3 * PARAMETER_LENGTH, "a|" * PARAMETER_LENGTH, "é" * 1023])
def test_a_text_too_long_for_a_parameter_is_split(sql: str, text: str) -> None:
    made, parameters = put(sql, TEXT, text)
    assert max(map(len, parameters), default=0) <= PARAMETER_LENGTH
    assert answer(as_athena_puts_it(made, parameters), text) == text


def test_a_text_that_fits_is_one_parameter() -> None:
    text = "a" * (PARAMETER_LENGTH - len("''"))
    assert put("SELECT 1 WHERE :given = ''", TEXT, text)[1] == [f"'{text}'"]


@given(texts)
def test_no_text_stands_in_the_sql(text: str) -> None:
    sql, parameters = put("SELECT :given WHERE :given = ''", TEXT, text)
    digits = text.encode().hex()
    assert sql == f"SELECT FROM_UTF8(FROM_HEX('{digits}')) WHERE ? = ''"
    assert parameters == [literal(text)]


@pytest.mark.parametrize(("value", "said"), [(None, "NULL"), (12, "12"), (-1, "-1")])
def test_outside_of_where_what_is_no_text_stands_as_it_is(value: Value, said: str) -> None:
    assert put("SELECT :given", TEXT, value) == (f"SELECT {said}", [])


@ANYWHERE
def test_an_array_is_split_where_older_engines_refuse_it(sql: str) -> None:
    items = [str(i) for i in range(2 * ARRAY_ELEMENTS + 1)]
    made, parameters = put(sql, LIST, items)
    arrays = list(sqlglot.parse_one(made, read="trino").find_all(exp.Array))
    assert sorted(len(array.expressions) for array in arrays) == [1, ARRAY_ELEMENTS, ARRAY_ELEMENTS]
    assert answer(as_athena_puts_it(made, parameters), items) == items


@pytest.mark.parametrize("name", [*OF_ONE_PERIOD, *OF_ALL_PERIODS])
def test_statement_is_trino_with_positional_parameters_only(name: str) -> None:
    sql, parameters = rendered(name)
    tree = sqlglot.parse_one(sql, read="trino")
    marks = list(tree.find_all(exp.Placeholder))
    assert [mark.this for mark in marks] == [None] * len(parameters)
    assert [table.sql("trino") for table in tree.find_all(exp.Table) if table.db] == [
        '"bill"."cur2" AS cur'
    ]


@pytest.mark.parametrize("name", OF_ONE_PERIOD)
def test_statement_reads_one_partition_only(name: str) -> None:
    sql, parameters = rendered(name)
    [scan] = [
        select
        for select in sqlglot.parse_one(sql, read="trino").find_all(exp.Select)
        if isinstance(select.args["from_"].this, exp.Table) and select.args["from_"].this.db
    ]
    conditions = list(scan.args["where"].this.flatten())
    assert "billing_period = ?" in [condition.sql("trino") for condition in conditions]
    assert parameters[0] == "'2026-07'"


@pytest.mark.parametrize("name", OF_ONE_PERIOD)
def test_statement_of_a_table_with_the_least_columns_is_trino(name: str) -> None:
    sql, _ = bind(fit(Path(name).name, [*REQUIRED, "billing_period"]), VALUES)
    nulls = {
        alias.alias
        for alias in sqlglot.parse_one(sql, read="trino").find_all(exp.Alias)
        if isinstance(alias.this, exp.Cast) and isinstance(alias.this.this, exp.Null)
    }
    assert nulls == set(COLUMN_TYPES) - set(REQUIRED)


def test_only_where_holds_parameters() -> None:
    sql, parameters = rendered("cur/lines")
    assert sql.endswith("OFFSET 100 LIMIT 50")
    assert parameters == [
        "'2026-07'",
        *map(literal, VALUES["products"] + VALUES["identities"]),
        literal(VALUES["named_by_sdk"]),
        *map(literal, VALUES["meters"]),
        "NULL",
    ]


def test_a_number_of_too_many_callers_is_not_asked_for() -> None:
    identities = [f"{ACCOUNT}|{i}|{'t' * 500}" for i in range(QUERY_BYTES // 500)]
    with pytest.raises(UsageProblem, match="one level deeper"):
        bind(query.load("cur/lines"), {**VALUES, "identities": identities})


def test_results_have_exact_types_before_any_row_is_read() -> None:
    schema = result_schema("daily_spend")
    assert str(schema.field("usage_date").type) == "date32[day]"
    assert str(schema.field("unblended_cost").type) == "decimal128(38, 12)"
    assert str(schema.field("line_count").type) == "int64"
    assert str(result_schema("lines").field("usage_start").type) == "timestamp[us]"


def test_two_tables_never_share_a_source_id() -> None:
    changes = {"catalog": "other", "database": "x", "table": "x", "region": "eu-west-1"}
    ids = [
        AthenaTable(SETTINGS.model_copy(update={key: value})).source_id
        for key, value in changes.items()
    ]
    assert len({*ids, AthenaTable(SETTINGS).source_id}) == len(changes) + 1
    assert AthenaTable(SETTINGS).source_id == AthenaTable(SETTINGS.model_copy()).source_id


# What AWS says, and the problem it is: words of `what`. Failed queries have a reason only.
DENIED = "User: arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: "
FAILED_QUERIES = {
    "Query cancelled! : Bytes scanned limit was exceeded": "scan more than",
    "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.bill.secret' does not exist": "no table",
    "SCHEMA_NOT_FOUND: line 1:15: Schema 'secret' does not exist": "no table",
    "CATALOG_NOT_FOUND: line 1:15: Catalog 'secret' does not exist": "no table",
    "COLUMN_NOT_FOUND: line 1:8: Column 'secret' cannot be resolved or requester is not authorized "
    "to access requested resources": "as CUR 2.0",
    "SYNTAX_ERROR: line 5:12: Column 'secret' cannot be resolved": "as CUR 2.0",
    "TYPE_MISMATCH: line 8:60: Cannot apply operator: timestamp(6) <= varchar(26)": "as CUR 2.0",
    "HIVE_BAD_DATA: Field secret's type BINARY in parquet file s3://secret/x is incompatible with "
    "type map<varchar,varchar>": "as CUR 2.0",
    f"{DENIED}glue:GetTable on resource: arn:aws:glue:us-east-1:111122223333:table/secret":
        "denied glue:GetTable",
    "Insufficient permissions to execute the query. Principal does not have any privilege on "
    "specified resource": "denied access",
    "Permission denied on S3 path: s3://secret/data/BILLING_PERIOD=2026-07": "denied access",
    "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://secret/a.parquet: Access Denied "
    "(Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)": "denied access",
    f"{DENIED}kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/secret":
        "denied kms:Decrypt",
    "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://secret/a.parquet: The specified key "
    "does not exist. (Service: Amazon S3; Status Code: 404; Error Code: NoSuchKey)": "replacing",
    "Query exhausted resources at this scale factor": "time or memory",
    "GENERIC_INTERNAL_ERROR: secret": "(GENERIC_INTERNAL_ERROR)",
    "None": "could not answer.",
}  # fmt: skip
REFUSED_CALLS = [
    ("ThrottlingException", "Rate exceeded", "too many requests"),
    ("TooManyRequestsException", "You have exceeded the limit", "too many requests"),
    (
        "InvalidRequestException",
        "No output location provided. An output location is required either through the Workgroup "
        "result configuration setting or as an API input.",
        "no location for its results",
    ),
    ("InvalidRequestException", "Unable to verify/create output bucket secret", "use the location"),
    ("NoSuchBucket", "The specified bucket does not exist", "use the location"),
    ("InvalidRequestException", "WorkGroup is not found.", "no enabled workgroup"),
    ("InvalidRequestException", "WorkGroup secret is disabled.", "no enabled workgroup"),
    (
        "InvalidRequestException",
        "Entity Not Found (Service: AmazonDataCatalog; Status Code: 400; Error Code: "
        "EntityNotFoundException; Request ID: secret; Proxy: null)",
        "no table",
    ),
    (
        "InvalidRequestException",
        "line 1:19: mismatched input 'secret'. Expecting: 'VIEW'",
        "as CUR 2.0",
    ),
    (
        "AccessDeniedException",
        "You are not authorized to perform: athena:StartQueryExecution on the resource. After your "
        "AWS administrator or you have updated your permissions, please try again.",
        "denied athena:StartQueryExecution",
    ),
    ("AccessDenied", f"{DENIED}s3:GetObject on resource: secret", "denied s3:GetObject"),
    ("403", "Forbidden", "denied access"),
    ("NoSuchKey", "The specified key does not exist.", "were gone"),
    ("404", "Not Found", "were gone"),
    ("ExpiredTokenException", "The security token included in the request is expired", "expired"),
    ("ExpiredToken", "The provided token has expired.", "expired"),
    (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        "not accept the credentials",
    ),
    ("InvalidSignatureException", "Signature expired: secret", "not accept the credentials"),
    ("InternalServerException", "secret", "(InternalServerException)"),
]
NEVER_SENT: list[tuple[Exception, str]] = [
    (botocore.NoCredentialsError(), "No AWS credentials"),
    (botocore.PartialCredentialsError(provider="env", cred_var="secret"), "No AWS credentials"),
    (botocore.ProfileNotFound(profile="secret"), "No AWS credentials"),
    (botocore.UnauthorizedSSOTokenError(), "expired"),
    (botocore.TokenRetrievalError(provider="sso", error_msg="secret"), "expired"),
    (botocore.NoRegionError(), "region"),
    (botocore.EndpointConnectionError(endpoint_url="https://secret"), "can't be reached"),
    (botocore.ConnectTimeoutError(endpoint_url="https://secret"), "can't be reached"),
    (botocore.ReadTimeoutError(endpoint_url="https://secret"), "can't be reached"),
    (botocore.SSLError(endpoint_url="https://secret", error=OSError("secret")), "can't be reached"),
    (botocore.ProxyConnectionError(proxy_url="https://secret"), "can't be reached"),
]


def as_pyathena_raises(cause: Exception) -> Exception:
    try:
        raise DatabaseError(*cause.args) from cause
    except DatabaseError as error:
        return error


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "StartQueryExecution")


def is_told(problem: SourceProblem, what: str) -> bool:
    """Whether it says `what`, what that means and what to do, and nothing that AWS said besides."""
    told = str(problem)
    assert not [hidden for hidden in ("secret", ACCOUNT, "arn:", "s3://") if hidden in told]
    return what in problem.what and "figures read earlier" in problem.means and bool(problem.todo)


@pytest.mark.parametrize(("reason", "what"), FAILED_QUERIES.items())
def test_a_failed_query_is_told(reason: str, what: str) -> None:
    assert is_told(as_problem(OperationalError(reason)), what)


@pytest.mark.parametrize(("code", "message", "what"), REFUSED_CALLS)
def test_a_refused_call_is_told_wrapped_or_not(code: str, message: str, what: str) -> None:
    error = refusal(code, message)
    assert is_told(as_problem(error), what)
    assert str(as_problem(as_pyathena_raises(error))) == str(as_problem(error))


@pytest.mark.parametrize(("error", "what"), NEVER_SENT)
def test_what_could_not_be_sent_is_told(error: Exception, what: str) -> None:
    assert is_told(as_problem(error), what)
    assert str(as_problem(as_pyathena_raises(error))) == str(as_problem(error))


def test_a_missing_result_location_is_told_like_athenas_own_refusal() -> None:
    assert is_told(no_output_location(), "no location for its results")


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The environment of a computer that knows nothing of AWS; one attempt, so tests are quick."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return monkeypatch


def test_no_credentials_are_a_problem(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceProblem, match="No AWS credentials"):
        AthenaTable(SETTINGS).periods()


def test_no_region_is_a_problem(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceProblem, match="No valid AWS region"):
        AthenaTable(SETTINGS.model_copy(update={"region": None})).periods()


def test_an_endpoint_that_is_not_there_is_a_problem(
    no_aws: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_dead_endpoint(no_aws)
    table = AthenaTable(SETTINGS)
    for ask in (
        table.periods,
        lambda: table.extract("2026-07", tmp_path / "out.parquet", StoreKnowledge()),
    ):
        with pytest.raises(SourceProblem, match="can't be reached"):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_what_aws_says_is_not_printed(no_aws: pytest.MonkeyPatch) -> None:
    use_dead_endpoint(no_aws)
    program = (
        "from chargeback.errors import SourceProblem\n"
        "from chargeback.settings import AthenaSettings\n"
        "from chargeback.sources.athena.table import AthenaTable\n"
        "try:\n"
        "    AthenaTable(AthenaSettings(database='d', table='t', region='us-east-1')).periods()\n"
        "except SourceProblem as problem:\n"
        "    print(problem.what)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("AWS can't be reached.\n", "")


def use_dead_endpoint(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
    environment.setenv("AWS_ACCESS_KEY_ID", "test")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
