"""What is deployed: the template, its policy and the image's recipe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from cfnlint.decode import decode  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer

from chargeback.sources.cur2 import COLUMN_TYPES

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
        ("sources/cost_explorer.py", "ce"),
        ("sources/invoices.py", "invoicing"),
    ):
        named = re.findall(r'"((?:Get|List)[A-Z]\w+)"', (sources / file).read_text())
        asked |= {f"{service}:{name}" for name in named}
    called = re.findall(r"\.(get_\w+|list_\w+)\(", (sources / "aws_account.py").read_text())
    pascal = {"".join(word.title() for word in name.split("_")) for name in called}
    elsewhere = {"GetCallerIdentity", "GetPaginator"}  # needs no permission; no operation
    assert asked
    assert asked <= allowed
    assert pascal - elsewhere <= {action.partition(":")[2] for action in allowed}
    assert not any("*" in action for action in allowed)


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


def test_the_image_is_built_as_hadolint_advises() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_everything_that_runs_is_copied_into_the_image() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (.+) \S+$", recipe, re.MULTILINE)
        for source in line.split()
    }
    assert {"app.py", "pages", "queries", "chargeback", "requirements.txt"} <= copied
    assert all((ROOT / source).exists() for source in copied)
