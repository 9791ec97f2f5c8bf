"""The checks of the set-up: what is in order, what is not, and that half of it may be missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from chargeback.aws_account import SUGGESTED_LIMIT, examine_account
from chargeback.doctor import Check, examine
from chargeback.settings import AthenaSettings, Settings
from chargeback.sources.cur2 import COLUMN_TYPES
from chargeback.workspace import Workspace
from tests.billing_service import (
    IS_BEDROCK,
    PAYER,
    Bill,
    Billing,
    billing,
    billing_cur,
    billing_service,
)

__all__ = ["billing", "billing_cur", "billing_service"]

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGION = "eu-central-1"
ATHENA = AthenaSettings(database="billing", table="cur2", workgroup="chargeback", region=REGION)


class Exports(Bill):
    """The billing APIs with Data Exports beside them."""

    includes_principals = "TRUE"

    def answer(self, target: str, request: dict[str, Any]) -> dict[str, Any]:
        if target.endswith(".ListExports"):
            reference = {"ExportArn": f"arn:aws:bcm-data-exports:us-east-1:{PAYER}:export/cur2"}
            return {"Exports": [{**reference, "ExportName": "cur2"}]}
        if target.endswith(".GetExport"):
            tables = {"COST_AND_USAGE_REPORT": {}, "OTHER": {"X": "Y"}}
            tables["COST_AND_USAGE_REPORT"] = {
                "INCLUDE_IAM_PRINCIPAL_DATA": self.includes_principals
            }
            query = {"QueryStatement": "SELECT 1", "TableConfigurations": tables}
            return {"Export": {"Name": "cur2", "DataQuery": query}}
        return super().answer(target, request)


@pytest.fixture(scope="module")
def exports(billing_cur: Path) -> Iterator[Exports]:
    with Exports(billing_cur) as service:
        yield service


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(
    billing: Billing, exports: Exports, moto: str, monkeypatch: pytest.MonkeyPatch
) -> Exports:
    """An AWS account with nothing in it, to which boto3's environment leads."""
    urlopen(Request(f"{moto}/moto-api/reset", method="POST")).close()  # noqa: S310 -- moto's own
    exports.reset()
    exports.includes_principals = "TRUE"
    for name in ("COST_EXPLORER", "INVOICING", "BCM_DATA_EXPORTS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", exports.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return exports


@pytest.fixture
def workspace(account: Exports, tmp_path: Path) -> Workspace:
    """Four months of a bill in files, which are read."""
    made = Workspace(Settings(cur=account.cur, store=tmp_path / "store"))
    made.refresh()
    return made


def looked_at(workspace: Workspace, now: datetime = NOW) -> dict[str, Check]:
    return {check.name: check for check in examine(workspace, now, examine_account)}


def of_account(settings: AthenaSettings = ATHENA) -> dict[str, list[Check]]:
    """The account's checks by their names."""
    found: dict[str, list[Check]] = {}
    for check in examine_account(Workspace(Settings(athena=settings))):
        found.setdefault(check.name, []).append(check)
    return found


def make(limit: int | None = SUGGESTED_LIMIT, without: str = "") -> None:
    """The workgroup and the table that the settings name."""
    configuration: Any = {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
    if limit is not None:
        configuration["BytesScannedCutoffPerQuery"] = limit
    athena: Any = boto3.client("athena", region_name=REGION)
    athena.create_work_group(Name=ATHENA.workgroup, Configuration=configuration)
    glue: Any = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": ATHENA.database})
    columns = [{"Name": name, "Type": "string"} for name in COLUMN_TYPES if name != without]
    glue.create_table(
        DatabaseName=ATHENA.database,
        TableInput={
            "Name": ATHENA.table,
            "StorageDescriptor": {"Columns": columns},
            "PartitionKeys": [{"Name": "billing_period", "Type": "string"}],
        },
    )


def test_a_bill_in_order_is_in_order(workspace: Workspace, billing: Billing) -> None:
    checks = looked_at(workspace)
    assert {check.state for check in checks.values()} == {"ok"}
    [(since,)] = billing.ask(
        "SELECT MIN(line_item_usage_start_date) FROM cur "  # noqa: S608
        f"WHERE line_item_iam_principal <> '' AND {IS_BEDROCK}"
    )
    assert checks["IAM principals"].found == f"on the bill since {since:%-d %B %Y}"
    assert checks["Cost allocation tag iamPrincipal/team"].found == "active"
    assert "1 requests, $0.01" in checks["Spent by this program this month"].found


def test_old_data_is_said(workspace: Workspace) -> None:
    written = workspace.source.periods()[0].data_as_of
    assert looked_at(workspace, written + timedelta(hours=47))["Freshness"].state == "ok"
    assert looked_at(workspace, written + timedelta(hours=49))["Freshness"].state == "warning"


def test_a_tag_that_nobody_carries_is_said_with_the_fix(
    workspace: Workspace, tmp_path: Path
) -> None:
    rules = {"team": ["iamPrincipal/squad"]}
    settings = workspace.settings.model_copy(
        update={"attribution": type(workspace.settings.attribution).model_validate(rules)}
    )
    checks = looked_at(Workspace(settings))
    assert checks["Tag for team"].state == "warning"
    assert checks["Tag for tenant"].state == "ok"
    activation = checks["Cost allocation tag iamPrincipal/squad"]
    assert activation.state == "warning"
    assert "TagKey=iamPrincipal/squad,Status=Active" in activation.command


def test_with_nothing_there_every_check_still_answers(account: Exports, tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    account.refuse("AccessDeniedException")
    checks = looked_at(Workspace(Settings(cur=tmp_path / "cur", store=tmp_path / "store")))
    states = {name: check.state for name, check in checks.items()}
    assert states == {
        "Bill": "problem",
        "Spend store": "problem",
        "Cost Explorer": "unknown",
        "Invoices": "unknown",
        "Spent by this program this month": "ok",
    }
    assert checks["Spend store"].command == "python -m chargeback refresh"


def test_an_account_in_order_is_in_order(account: Exports) -> None:
    make()
    found = of_account()
    assert {check.state for checks in found.values() for check in checks} == {"ok"}
    assert list(found) == ["Region", "Workgroup", "Table", "Credentials", "Data export"]
    [workgroup] = found["Workgroup"]
    assert "1,024 GB a query at most" in workgroup.found


def test_what_the_account_lacks_is_said_with_the_fix(account: Exports) -> None:
    make(limit=None, without="line_item_iam_principal")
    account.includes_principals = "FALSE"
    found = of_account()
    [workgroup] = found["Workgroup"]
    assert workgroup.state == "warning"
    assert f"BytesScannedCutoffPerQuery={SUGGESTED_LIMIT}" in workgroup.command
    assert [check.state for check in found["Table"]] == ["ok", "warning"]
    assert "lacks line_item_iam_principal" in found["Table"][1].found
    [export] = found["Data export"]
    assert export.state == "warning"
    assert "Include caller identity" in export.todo


def test_a_table_that_cannot_be_read_is_a_problem(account: Exports) -> None:
    make(without="line_item_unblended_cost")
    [table] = of_account()["Table"]
    assert (table.state, "lacks line_item_unblended_cost" in table.found) == ("problem", True)


def test_a_table_that_is_not_there_leaves_the_rest_known(account: Exports) -> None:
    make()
    other = ATHENA.model_copy(update={"table": "elsewhere"})
    states = {name: checks[0].state for name, checks in of_account(other).items()}
    assert states.pop("Table") == "unknown"
    assert set(states.values()) == {"ok"}


def test_without_credentials_nothing_is_known_and_nothing_breaks(
    account: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "AWS_PROFILE" not in os.environ
    found = of_account()
    assert found["Credentials"][0].state == "unknown"
    assert "No AWS credentials" in found["Credentials"][0].found
