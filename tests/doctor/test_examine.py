"""The checks of the set-up: what is in order, what is not, and that half of it may be missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from chargeback.access.secrets_file import SignIn
from chargeback.attribution.rules import AttributionRules, OwnersSource
from chargeback.billing_period import now
from chargeback.doctor.aws_account import SUGGESTED_LIMIT, examine_account
from chargeback.doctor.examine import A_MOMENT, Check, examine
from chargeback.settings import Settings
from chargeback.sources.athena.settings import AthenaSettings
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

LISTING = "ListCostAllocationTags"
TEAM = "iamPrincipal/team"
MOTOS = "123456789012"
"""The account whose credentials all are to moto."""


class Exports(Bill):
    """The billing APIs with Data Exports beside them."""

    includes_principals = "TRUE"
    status: Mapping[str, Any] = {"StatusCode": "HEALTHY", "CreatedAt": "2026-04-08T00:00:00Z"}

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
            export = {"Name": "cur2", "DataQuery": query}
            return {"Export": export, "ExportStatus": dict(self.status)}
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
    exports.includes_principals = Exports.includes_principals
    exports.status = Exports.status
    for name in ("COST_EXPLORER", "INVOICING", "BCM_DATA_EXPORTS", "STS"):
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
    return {check.name: check for check in examine(workspace, now)}


def of_account(settings: AthenaSettings = ATHENA) -> dict[str, list[Check]]:
    """The account's checks by their names."""
    found: dict[str, list[Check]] = {}
    for check in examine_account(Workspace(Settings(athena=settings))):
        found.setdefault(check.name, []).append(check)
    return found


def make(
    limit: int | None = SUGGESTED_LIMIT, without: str = "", is_partitioned: bool = True
) -> None:
    """The workgroup and the table that the settings name."""
    configuration: Any = {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
    if limit is not None:
        configuration["BytesScannedCutoffPerQuery"] = limit
    athena: Any = boto3.client("athena", region_name=REGION)
    athena.create_work_group(Name=ATHENA.workgroup, Configuration=configuration)
    glue: Any = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": ATHENA.database})
    columns = [{"Name": name, "Type": "string"} for name in COLUMN_TYPES if name != without]
    partition = [{"Name": "billing_period", "Type": "string"}]
    glue.create_table(
        DatabaseName=ATHENA.database,
        TableInput={
            "Name": ATHENA.table,
            "StorageDescriptor": {"Columns": columns + ([] if is_partitioned else partition)},
            "PartitionKeys": partition if is_partitioned else [],
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
    assert checks["Cost allocation tag iamPrincipal/team"].found.startswith("active since ")
    assert checks["Invoices"].found == "2 invoices for October 2026"
    assert "$0.01 for 1 request" in checks["Spent by this program this month"].found


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
    assert "It carries: " in checks["Tag for team"].todo
    assert "iamPrincipal/team" in checks["Tag for team"].todo
    activation = checks["Cost allocation tag iamPrincipal/squad"]
    assert activation.state == "warning"
    assert activation.command.endswith("--tag-keys iamPrincipal/squad")


def switch_off(account: Exports, key: str) -> None:
    """From now on AWS lists the tag as inactive."""

    def change(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        for tag in answer.get("CostAllocationTags", []) if operation == LISTING else []:
            tag["Status"] = "Inactive" if tag["TagKey"] == key else tag["Status"]
        return answer

    account.change = change


def make_old(workspace: Workspace, age: timedelta) -> None:
    """Lets what is kept of the billing APIs have been asked for `age` ago."""
    for file in (workspace.store.folder / "cost-explorer").glob("*/*.json"):
        if "asked_at" in (kept := json.loads(file.read_text())):
            file.write_text(json.dumps(kept | {"asked_at": (now() - age).isoformat()}))


def test_a_tag_that_was_activated_a_moment_ago_is_active(
    workspace: Workspace, account: Exports
) -> None:
    switch_off(account, TEAM)
    assert looked_at(workspace)[f"Cost allocation tag {TEAM}"].state == "warning"
    switch_off(account, "none")
    still = looked_at(workspace)[f"Cost allocation tag {TEAM}"]
    assert still.found.startswith("not active, as of ")
    assert account.calls.count(LISTING) == 1  # drawn again at once: not paid for again
    make_old(workspace, A_MOMENT + timedelta(seconds=1))
    assert looked_at(workspace)[f"Cost allocation tag {TEAM}"].state == "ok"
    make_old(workspace, timedelta(hours=23))
    checks = looked_at(workspace)
    assert account.calls.count(LISTING) == 2  # in order: good for a day, and its age is said
    yesterday = now() - timedelta(hours=23)
    assert checks["Cost Explorer"].found.endswith(f" as of {yesterday:%-d %B %Y, %H:%M} UTC")


def test_an_old_list_of_tags_is_told_with_its_age_and_the_reason(
    workspace: Workspace, account: Exports
) -> None:
    switch_off(account, TEAM)
    looked_at(workspace)
    make_old(workspace, timedelta(hours=2))
    moment = now() - timedelta(hours=2)
    account.is_silent = True
    checks = looked_at(workspace)
    assert checks["Cost Explorer"].found == "Cost Explorer can't be reached."
    found = f"not active, as of {moment:%-d %B %Y, %H:%M} UTC"
    assert checks[f"Cost allocation tag {TEAM}"].found == found


def test_credentials_of_the_payer_are_in_order(workspace: Workspace) -> None:
    check = looked_at(workspace)["Payer account"]
    found = f"the credentials are of {PAYER}, which pays the bill"
    assert (check.state, check.found) == ("ok", found)


def test_credentials_of_another_account_are_said_with_what_they_cannot_do(
    workspace: Workspace, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    check = looked_at(workspace)["Payer account"]
    assert check.state == "warning"
    assert check.found == f"the credentials are of {MOTOS}, but the bill is paid by {PAYER}"
    assert f"shows {MOTOS} only its own costs" in check.means
    assert f"use credentials of {PAYER}" in check.todo


def test_an_account_is_said_while_nothing_is_read(account: Exports, tmp_path: Path) -> None:
    check = looked_at(Workspace(Settings(cur=account.cur, store=tmp_path)))["Payer account"]
    assert (check.state, check.command) == ("unknown", "python -m chargeback refresh")
    assert f"account {PAYER}; who pays the bill is not known" in check.found


@pytest.mark.parametrize("elsewhere", ["/moto-api/", "/nowhere"])
def test_an_account_that_is_not_told_leaves_the_payer_known(
    workspace: Workspace, moto: str, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto + elsewhere)
    check = looked_at(workspace)["Payer account"]
    assert check.state == "unknown"
    assert check.found.startswith(f"paid by {PAYER}; the credentials' account is not known: ")
    assert "can't be told" in check.means


def test_with_nothing_there_every_check_still_answers(account: Exports, tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    account.refuse("AccessDeniedException")
    checks = looked_at(Workspace(Settings(cur=tmp_path / "cur", store=tmp_path / "store")))
    states = {name: check.state for name, check in checks.items()}
    assert states == {
        "Bill": "problem",
        "Spend store": "warning",
        "Ledger": "ok",
        "Payer account": "unknown",
        "Cost Explorer": "unknown",
        "Invoices": "unknown",
        "Spent by this program this month": "ok",
        "Who may look": "ok",
    }
    assert checks["Spend store"].command == "python -m chargeback refresh"


def test_apis_that_do_not_answer_are_unknown_and_leave_the_rest(
    workspace: Workspace, account: Exports
) -> None:
    account.is_silent = True
    checks = looked_at(workspace)
    unknown = {name for name, check in checks.items() if check.state == "unknown"}
    assert unknown == {"Payer account", "Cost Explorer", "Invoices"}
    assert checks["Invoices"].found == "The Invoicing API can't be reached."
    assert checks["Tag for team"].state == "ok"


def test_a_month_without_invoices_is_said(workspace: Workspace, account: Exports) -> None:
    account.change = lambda operation, answer: (
        {"InvoiceSummaries": []} if operation == "ListInvoiceSummaries" else answer
    )
    check = looked_at(workspace)["Invoices"]
    assert (check.state, check.found) == ("unknown", "none for October 2026")
    assert check.command.endswith(f"Value={PAYER}")


def test_rules_that_cannot_be_used_leave_the_rest_known(
    workspace: Workspace, tmp_path: Path
) -> None:
    rules = AttributionRules(team=[OwnersSource(owners=tmp_path / "nowhere.csv")])
    checks = looked_at(Workspace(workspace.settings.model_copy(update={"attribution": rules})))
    assert checks["Attribution rules"].state == "problem"
    assert "nowhere.csv" in checks["Attribution rules"].found
    assert {checks[name].state for name in ("Bill", "Spend store", "Cost Explorer")} == {"ok"}


def test_what_this_program_had_scanned_in_the_month_is_priced(workspace: Workspace) -> None:
    name = "Spent by this program this month"
    assert "Athena $0.0000 for 0 queries, 0.00 GB scanned" in looked_at(workspace)[name].found
    workspace.athena_costs.add(1024**4)
    said = "Athena $5.0000 for 1 query, 1,024.00 GB scanned"
    for days_ago, is_said in ((0, True), (40, False)):
        checks = looked_at(workspace, datetime.now(UTC) - timedelta(days=days_ago))
        assert (said in checks[name].found) is is_said


def doctor(cur: Path, store: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m chargeback doctor` in an empty folder, with what the environment says of AWS."""
    return subprocess.run(
        [sys.executable, "-m", "chargeback", "doctor"],
        cwd=store,
        env={
            **os.environ,
            "CHARGEBACK_CUR": str(cur),
            "CHARGEBACK_STORE": str(store),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONIOENCODING": "utf-8",
            **variables,
        },
        encoding="utf-8",
        capture_output=True,
        check=False,
    )


def test_the_command_prints_an_aligned_table_and_exits_with_0(workspace: Workspace) -> None:
    cur = workspace.settings.cur
    assert cur
    done = doctor(cur, workspace.store.folder)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert {line[0] for line in lines} <= set("✓!?")
    found = {line.index("on the bill since") for line in lines if "IAM principals" in line}
    assert found == {line.index("answers") for line in lines if "Cost Explorer  " in line}


def test_the_command_exits_with_1_and_one_line_on_a_problem(
    account: Exports, tmp_path: Path
) -> None:
    done = doctor(tmp_path / "nowhere", tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "1 of " in done.stderr
    assert "PROBLEM  Bill " in done.stdout
    assert done.stdout.isascii()


def test_a_name_cannot_steer_the_terminal(account: Exports, tmp_path: Path) -> None:
    hostile = json.dumps(["iamPrincipal/\x1b[31mteam"])
    done = doctor(account.cur, tmp_path, CHARGEBACK_ATTRIBUTION__TEAM=hostile)
    assert "iamPrincipal/?[31mteam" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("sign_in", "open_to_all", "state", "found"),
    [
        (SignIn("none"), False, "ok", "this machine only"),
        (SignIn("usable"), False, "ok", "whoever signed in"),
        (SignIn("none"), True, "warning", "open to all"),
        (SignIn("unusable", "no [auth]"), True, "warning", "open to all"),
        (SignIn("unusable", "no [auth]"), False, "problem", "nobody"),
    ],
)
def test_who_may_look_is_said(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sign_in: SignIn,
    open_to_all: bool,
    state: str,
    found: str,
) -> None:
    monkeypatch.setattr("chargeback.doctor.examine.read_sign_in", lambda: sign_in)
    settings = Settings(cur=tmp_path, store=tmp_path / "store", open_to_all=open_to_all)
    check = looked_at(Workspace(settings))["Who may look"]
    assert (check.state, check.found.startswith(found)) == (state, True)
    assert (check.state == "ok") or "open_to_all = true" in check.todo


def test_an_account_in_order_is_in_order(account: Exports) -> None:
    make()
    found = of_account()
    assert {check.state for checks in found.values() for check in checks} == {"ok"}
    assert list(found) == ["Region", "Workgroup", "Table", "Credentials", "Data export"]
    [workgroup] = found["Workgroup"]
    assert "1,024 GB a query at most" in workgroup.found
    [export] = found["Data export"]
    assert export.found == "cur2 includes IAM principal data, made on 8 April 2026"


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
    assert states.pop("Table") == "problem"
    assert set(states.values()) == {"ok"}


def test_a_table_of_another_account_is_not_known_and_breaks_nothing(account: Exports) -> None:
    make()
    glue: Any = boto3.client("glue", region_name=REGION)
    target = {"CatalogId": "111122223333", "DatabaseName": "billing", "Name": "cur2"}
    link = {"Name": "link", "TargetTable": target}
    glue.create_table(DatabaseName=ATHENA.database, TableInput=link)
    for changed in ({"table": "link"}, {"catalog": "other"}):
        states = {
            name: checks[0].state
            for name, checks in of_account(ATHENA.model_copy(update=changed)).items()
        }
        assert states.pop("Table") == "unknown"
        assert set(states.values()) == {"ok"}


def test_a_table_without_partitions_costs_more(account: Exports) -> None:
    make(is_partitioned=False)
    warning, fine = of_account()["Table"]
    assert (warning.state, fine.state) == ("warning", "ok")
    assert "not partitioned by billing_period" in warning.found


def test_an_export_that_is_not_delivered_is_said(account: Exports) -> None:
    make()
    account.status = {"StatusCode": "UNHEALTHY", "StatusReason": "INSUFFICIENT_PERMISSION"}
    unhealthy, included = of_account()["Data export"]
    assert (unhealthy.state, included.state) == ("warning", "ok")
    assert "INSUFFICIENT_PERMISSION" in unhealthy.found


def test_without_credentials_nothing_is_known_and_nothing_breaks(
    account: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "AWS_PROFILE" not in os.environ
    found = of_account()
    assert found["Credentials"][0].state == "unknown"
    assert "No AWS credentials" in found["Credentials"][0].found


def test_what_is_no_answer_of_aws_leaves_the_rest_known(
    account: Exports, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{moto}/moto-api/")  # a page for people
    states = {name: checks[0].state for name, checks in of_account().items()}
    assert states.pop("Credentials") == "unknown"
    assert set(states.values()) == {"ok"}
