"""What is deployed: the template, its policy and the image's recipe."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from cfnlint.decode import decode  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from chargeback.doctor.aws_account import SUGGESTED_LIMIT, examine_account
from chargeback.ledger.change_lines import CHANGES, HEAD
from chargeback.ledger.ledger import open_ledger
from chargeback.settings import Settings
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.cur2 import COLUMN_TYPES, result_schema
from chargeback.store.athena.catalog import StoreTable
from chargeback.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "chargeback.yaml"
GLUE_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "TIMESTAMP": "timestamp",
    "MAP(VARCHAR, VARCHAR)": "map<string,string>",
}
"""Athena's names of types in Glue (Athena User Guide, "Data types in Amazon Athena")."""
REGION = "us-east-1"
README = ROOT / "README.md"
BILLING = ("bcm-data-exports:", "ce:", "invoicing:")
"""Services that are asked about the whole account."""
RUN_THE_APP = """
from datetime import date
from pathlib import Path
from chargeback.demo import write_demo
from streamlit.testing.v1 import AppTest
write_demo(Path("cur"), today=date(2026, 11, 23), months=1, lines=100)
app = AppTest.from_file("app.py", default_timeout=60).run()
print([header.value for header in app.header][:1])
"""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    made, faults = decode(str(TEMPLATE))
    assert made and not faults
    return dict(made)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An AWS account to deploy to."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.stop()


def resource(template: dict[str, Any], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


ACCOUNT = "123456789012"
NAMES = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "Database": "bedrock-chargeback",
    "LedgerLock": "GOVERNANCE",
    "LedgerYears": "10",
    "Name": "bedrock-chargeback",
    "ReportBucket": "reports",
    "ResultBucket": "results",
    "ScanLimitBytes": "1099511627776",
    "Table": "cur2",
    "WorkGroup": "bedrock-chargeback",
}
"""What CloudFormation puts in place of references."""


def put(text: str) -> str:
    """The text of a Fn::Sub with its references resolved; `${!name}` stays as `${name}`."""
    arns = {
        f"{name}.Arn": f"arn:aws:s3:::{NAMES[name]}" for name in ("ReportBucket", "ResultBucket")
    }
    values = NAMES | arns
    resolved = re.sub(r"\$\{([^!}]+)\}", lambda found: values[found[1]], text)
    return resolved.replace("${!", "${")


def deployed(node: Any) -> Any:  # noqa: ANN401  (any part of a YAML document)
    """A part of the template as CloudFormation hands it to a service."""
    if isinstance(node, list):
        return [deployed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return NAMES[node["Ref"]]
    if set(node) == {"Fn::Sub"}:
        return put(node["Fn::Sub"])
    if set(node) == {"Fn::GetAtt"}:
        return put("${" + ".".join(node["Fn::GetAtt"]) + "}")
    return {str(key): deployed(value) for key, value in node.items()}


def faults(service: str, operation: str, parameters: dict[str, Any]) -> str:
    """What AWS's own model of an operation has against its parameters; '' for nothing."""
    client: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
    shape = client.meta.service_model.operation_model(operation).input_shape
    report: str = ParamValidator().validate(parameters, shape).generate_report()
    return report


def test_cfn_lint_finds_nothing() -> None:
    assert lint_file(TEMPLATE, ManualArgs(regions=[REGION])) == []


def test_the_export_selects_every_column_that_a_statement_names(template: dict[str, Any]) -> None:
    export = resource(template, "Export")["Export"]
    columns = re.fullmatch(
        r"SELECT (.*) FROM COST_AND_USAGE_REPORT",
        " ".join(export["DataQuery"]["QueryStatement"].split()),
    )
    assert columns
    assert columns[1].split(", ") == list(COLUMN_TYPES)
    tables = export["DataQuery"]["TableConfigurations"]["COST_AND_USAGE_REPORT"]
    assert tables["INCLUDE_IAM_PRINCIPAL_DATA"] == "TRUE"


def test_the_services_accept_what_is_deployed(template: dict[str, Any]) -> None:
    export = deployed(resource(template, "Export"))
    table = deployed(resource(template, "Table"))
    group = deployed(resource(template, "WorkGroup"))
    configuration = group["WorkGroupConfiguration"]
    limit = int(configuration["BytesScannedCutoffPerQuery"])
    configuration["BytesScannedCutoffPerQuery"] = limit  # CloudFormation's Number
    assert faults("bcm-data-exports", "CreateExport", export) == ""
    assert faults("glue", "CreateTable", table) == ""
    made = {"Name": group["Name"], "Configuration": configuration}
    assert faults("athena", "CreateWorkGroup", made) == ""
    assert limit == SUGGESTED_LIMIT


def test_the_table_lies_where_the_export_is_delivered(template: dict[str, Any]) -> None:
    export = deployed(resource(template, "Export"))["Export"]
    place = export["DestinationConfigurations"]["S3Destination"]
    data = f"s3://{place['S3Bucket']}/{place['S3Prefix']}/{export['Name']}/data/"
    table = deployed(resource(template, "Table"))["TableInput"]
    assert table["StorageDescriptor"]["Location"] == data
    projected = table["Parameters"]["storage.location.template"]
    assert projected == f"{data}BILLING_PERIOD=${{billing_period}}/"


def test_what_is_deployed_is_what_the_checks_want(cloud: None, template: dict[str, Any]) -> None:
    table = deployed(resource(template, "Table"))
    group = deployed(resource(template, "WorkGroup"))
    configuration = group["WorkGroupConfiguration"]
    configuration["BytesScannedCutoffPerQuery"] = int(configuration["BytesScannedCutoffPerQuery"])
    athena: Any = boto3.client("athena")
    athena.create_work_group(Name=group["Name"], Configuration=configuration)
    glue: Any = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": table["DatabaseName"]})
    glue.create_table(**table)
    output = put(template["Outputs"]["Configuration"]["Value"]["Fn::Sub"])
    settings = Settings.model_validate(tomllib.loads(output))
    checks = {check.name: check for check in examine_account(Workspace(settings))}
    looked_at = ("Credentials", "Region", "Workgroup", "Table")
    assert {checks[name].state for name in looked_at} == {"ok"}, checks


def test_the_table_has_the_columns_of_the_export_with_their_types(template: dict[str, Any]) -> None:
    table = resource(template, "Table")["TableInput"]
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert columns == {name: GLUE_TYPES[type_] for name, type_ in COLUMN_TYPES.items()}
    assert [key["Name"] for key in table["PartitionKeys"]] == ["billing_period"]


def test_the_policy_allows_every_operation_that_is_called(template: dict[str, Any]) -> None:
    statements = resource(template, "Policy")["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    sources = ROOT / "chargeback"
    asked = set()
    for file, service in (
        ("sources/billing/cost_explorer.py", "ce"),
        ("sources/billing/invoices.py", "invoicing"),
    ):
        named = re.findall(r'"((?:Get|List)[A-Z]\w+)"', (sources / file).read_text())
        asked |= {f"{service}:{name}" for name in named}
    called = re.findall(r"\.(get_\w+|list_\w+)\(", (sources / "doctor/aws_account.py").read_text())
    pascal = {"".join(word.title() for word in name.split("_")) for name in called}
    elsewhere = {"GetCallerIdentity", "GetPaginator"}  # needs no permission; no operation
    assert asked
    assert asked <= allowed
    assert pascal - elsewhere <= {action.partition(":")[2] for action in allowed}
    assert not any("*" in action for action in allowed)
    for statement in statements:
        billing = all(action.startswith(BILLING) for action in statement["Action"])
        assert (statement["Resource"] == "*") == billing


def test_the_readme_shows_the_policy_that_is_deployed(template: dict[str, Any]) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", README.read_text(), re.DOTALL)[0])
    statements = shown["Statement"] if isinstance(shown, dict) else shown
    deployed_ones = resource(template, "Policy")["PolicyDocument"]["Statement"]
    assert [set(statement["Action"]) for statement in statements] == [
        set(statement["Action"]) for statement in deployed_ones
    ]


def test_the_template_can_be_deployed(cloud: None) -> None:
    formation: Any = boto3.client("cloudformation")
    formation.create_stack(
        StackName="bedrock-chargeback",
        TemplateBody=TEMPLATE.read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [stack] = formation.describe_stacks(StackName="bedrock-chargeback")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    # moto 5.2 makes the buckets and the policy; of the rest it checks the references only.
    s3: Any = boto3.client("s3")
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    made = [name for name in names if name.startswith("bedrock-chargeback-")]
    assert sorted(name.split("-")[2] for name in made) == ["reportbucket", "resultbucket"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    iam: Any = boto3.client("iam")
    assert iam.get_policy(PolicyArn=outputs["PolicyArn"])["Policy"]["PolicyName"]
    assert 'region = "us-east-1"' in outputs["Configuration"]


def test_a_place_for_the_store_is_deployed_when_asked_for(cloud: None) -> None:
    formation: Any = boto3.client("cloudformation")
    formation.create_stack(
        StackName="with-store",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[
            {"ParameterKey": "StoreInAthena", "ParameterValue": "yes"},
            {"ParameterKey": "Name", "ParameterValue": "with-store"},
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [stack] = formation.describe_stacks(StackName="with-store")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    place, _, folder = outputs["StoreLocation"].removeprefix("s3://").partition("/")
    s3: Any = boto3.client("s3")
    assert place in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert folder == "store/"
    settings = AthenaSettings(database="d", table="t", store_location=outputs["StoreLocation"])
    assert StoreTable("spend", result_schema("daily_spend"), settings).name.startswith(
        "chargeback_spend_"
    )
    iam: Any = boto3.client("iam")
    made = iam.get_policy(PolicyArn=outputs["StorePolicyArn"])["Policy"]
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId=made["DefaultVersionId"])[
        "PolicyVersion"
    ]["Document"]
    [tables] = [r for s in version["Statement"] for r in s["Resource"] if ":table/" in r]
    assert tables.endswith("/chargeback_*")


def test_a_place_for_the_ledger_is_deployed_when_asked_for(cloud: None) -> None:
    formation: Any = boto3.client("cloudformation")
    formation.create_stack(
        StackName="with-ledger",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[
            {"ParameterKey": "LedgerInS3", "ParameterValue": "yes"},
            {"ParameterKey": "Name", "ParameterValue": "with-ledger"},
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [stack] = formation.describe_stacks(StackName="with-ledger")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    settings = Settings.model_validate({"ledger": outputs["LedgerLocation"]})
    assert settings.open_ledger().objects.create("entries/000001.json", b"{}")
    iam: Any = boto3.client("iam")
    assert iam.get_policy(PolicyArn=outputs["LedgerPolicyArn"])["Policy"]["PolicyName"]


def test_a_ledger_works_in_a_bucket_locked_as_deployed_and_nothing_of_it_can_be_deleted(
    cloud: None, template: dict[str, Any], tmp_path: Path
) -> None:
    properties = deployed(resource(template, "LedgerBucket"))
    lock = properties["ObjectLockConfiguration"]
    lock["Rule"]["DefaultRetention"]["Years"] = int(lock["Rule"]["DefaultRetention"]["Years"])
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="books", ObjectLockEnabledForBucket=properties["ObjectLockEnabled"])
    s3.put_object_lock_configuration(Bucket="books", ObjectLockConfiguration=lock)
    ledger = open_ledger("s3://books/ledger", locks=tmp_path)
    assert ledger.objects.create("entries/000001.json", b"{}")
    for number in range(2):
        ledger.record(who="ann", what="counted", before=number, after=number + 1)
    assert ledger.verify_changes() is None
    for version in s3.list_object_versions(Bucket="books")["Versions"]:
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket="books", Key=version["Key"], VersionId=version["VersionId"])
    kept = [version["Key"] for version in s3.list_object_versions(Bucket="books")["Versions"]]
    assert sorted(Counter(kept).items()) == [
        ("ledger/changes.head", 2),
        ("ledger/changes.jsonl", 2),
        ("ledger/entries/000001.json", 1),
    ]


def test_the_ledgers_policy_lets_nothing_be_deleted_or_overwritten(
    template: dict[str, Any],
) -> None:
    statements = resource(template, "LedgerPolicy")["PolicyDocument"]["Statement"]
    allowed = {action for s in statements for action in as_list(s["Action"])}
    assert allowed == {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"}
    replaced = set()
    for statement in statements:
        if "s3:PutObject" in as_list(statement["Action"]):
            [condition] = statement["Condition"].values()
            [(key, value)] = condition.items()
            assert value == "false"
            assert key in {"s3:if-none-match", "s3:if-match", "s3:ObjectCreationOperation"}
            if key == "s3:if-match":
                replaced = {r["Fn::Sub"].rpartition("/")[2] for r in statement["Resource"]}
    assert replaced == {CHANGES, HEAD}


def as_list(one_or_more: str | list[str]) -> list[str]:
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more


def test_the_image_is_built_as_hadolint_advises() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def copied() -> set[str]:
    """What the image takes from the repository."""
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    lines = re.findall(r"^COPY (.+) \S+$", recipe, re.MULTILINE)
    return {source for line in lines for source in line.split()}


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    rules = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert "**" in rules
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what is copied into the image."""
    for source in copied():
        target = tmp_path / source
        target.parent.mkdir(parents=True, exist_ok=True)
        path = ROOT / source
        (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
    return tmp_path


def test_what_is_copied_into_the_image_runs(image: Path) -> None:
    ours = {name: text for name, text in os.environ.items() if "CHARGEBACK" not in name}
    done = subprocess.run(
        [sys.executable, "-c", RUN_THE_APP],
        cwd=image,
        env={**ours, "CHARGEBACK_CUR": str(image / "cur")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "['November 2026']", done.stderr


@contextmanager
def container(image: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The image's command with the image's environment, as Docker starts it, and its port."""
    recipe = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    [command] = re.findall(r"^CMD (\[.+\])$", recipe, re.MULTILINE)
    said = dict(
        re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.+)$", recipe, re.MULTILINE)))
    )
    assert said["STREAMLIT_SERVER_ADDRESS"] == "0.0.0.0"  # noqa: S104
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    ours = {name: text for name, text in os.environ.items() if "CHARGEBACK" not in name}
    here = {"HOME": str(image), "STREAMLIT_SERVER_PORT": str(port)}
    stores = {name: str(image / said[name].strip("/")) for name in said if "CHARGEBACK" in name}
    process = subprocess.Popen(
        [sys.executable, *json.loads(command)[1:]],
        cwd=image,
        env=ours | said | here | stores | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("secrets", ["", "[Auth]\nclient_id = 'a'\n"])
def test_the_image_does_not_start_where_nobody_could_look(image: Path, secrets: str) -> None:
    if secrets:
        (image / ".streamlit" / "secrets.toml").write_text(secrets)
    with container(image) as (process, _):
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert "[auth] in .streamlit/secrets.toml" in err
    assert "open_to_all = true (CHARGEBACK_OPEN_TO_ALL=true)" in err


def test_the_image_that_is_open_to_all_serves(image: Path) -> None:
    with container(image, CHARGEBACK_OPEN_TO_ALL="true") as (process, port):
        answer = answered(f"http://localhost:{port}/_stcore/health")
        assert (answer, process.poll()) == (b"ok", None)


@retry(
    retry=retry_if_exception_type((URLError, ConnectionError)),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(60),
)
def answered(address: str) -> bytes:
    with urlopen(address) as answer:  # noqa: S310 -- an address on this machine
        body: bytes = answer.read()
        return body


def test_the_guide_runs_the_image_as_it_starts() -> None:
    """Every `docker run` says who may look, and a trial is for this machine only."""
    for guide in (ROOT / "deploy" / "README.md", README):
        for run in re.findall(r"^docker run (?:.*\\\n)*.*$", guide.read_text(), re.MULTILINE):
            assert "secrets.toml" in run or "CHARGEBACK_OPEN_TO_ALL=true" in run
            assert "secrets.toml" in run or "-p 127.0.0.1:" in run
