"""Checks of the AWS account that the bill is read from: may the program ask, and what is there?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chargeback.doctor import Check, failed
from chargeback.settings import AthenaSettings
from chargeback.sources import athena_problems, billing_problems
from chargeback.sources.cur2 import REQUIRED, WITHOUT
from chargeback.workspace import Workspace

BILLING_REGION = "us-east-1"
"""Where the Data Exports API answers (Data Exports User Guide, "Quotas and restrictions")."""
SUGGESTED_LIMIT = 1024**4
"""Bytes: at $5 per TB no query costs more than $5."""
WITH_PRINCIPALS = "INCLUDE_IAM_PRINCIPAL_DATA"


def examine_account(workspace: Workspace) -> Iterator[Check]:
    """One check after another; what is refused does not stop the rest."""
    settings = workspace.settings.athena
    if settings is None:
        return
    for name, look in {"Region": _region, "Workgroup": _workgroup, "Table": _table}.items():
        try:
            yield from look(settings)
        except (ClientError, BotoCoreError) as error:
            yield failed(name, athena_problems.explained(error), "unknown")
    for name, look, service, action in (
        ("Credentials", _identity, "AWS STS", "sts:GetCallerIdentity"),
        ("Data export", _export, "Data Exports", "bcm-data-exports:ListExports"),
    ):
        try:
            yield from look(settings)
        except (ClientError, BotoCoreError) as error:
            problem = billing_problems.explained(error, service, action)
            yield failed(name, problem, "unknown")


def _identity(settings: AthenaSettings) -> Iterator[Check]:
    caller = _client("sts", settings.region or BILLING_REGION).get_caller_identity()
    yield Check("Credentials", "ok", f"{caller['Arn']} in account {caller['Account']}")


def _region(settings: AthenaSettings) -> Iterator[Check]:
    region = settings.region or boto3.Session().region_name
    if region:
        yield Check("Region", "ok", region)
        return
    yield Check(
        "Region",
        "problem",
        "none is set",
        "Athena can't be asked.",
        "Set `region` in the [athena] section to the region of the table.",
        "export CHARGEBACK_ATHENA__REGION=us-east-1",
    )


def _workgroup(settings: AthenaSettings) -> Iterator[Check]:
    name = settings.workgroup
    group = _client("athena", settings.region).get_work_group(WorkGroup=name)["WorkGroup"]
    configuration = group.get("Configuration", {})
    limit = configuration.get("BytesScannedCutoffPerQuery")
    output = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    if group.get("State") == "DISABLED":
        yield Check(
            "Workgroup",
            "problem",
            f"{name} is disabled",
            "Athena runs no query in it.",
            f"Athena > Workgroups > {name} > Enable.",
            f"aws athena update-work-group --work-group {name} --state ENABLED",
        )
    elif not output and not settings.s3_staging_dir:
        yield Check(
            "Workgroup",
            "problem",
            f"{name} has no place for results",
            "Athena can't answer.",
            f"Athena > Workgroups > {name} > Edit > Query result location; or set "
            "`s3_staging_dir` in the [athena] section.",
        )
    elif limit is None:
        yield Check(
            "Workgroup",
            "warning",
            f"{name} has no limit on what a query scans",
            "A mistake could cost more than it should.",
            f"Athena > Workgroups > {name} > Edit > Per query data usage control.",
            f"aws athena update-work-group --work-group {name} --configuration-updates "
            f"BytesScannedCutoffPerQuery={SUGGESTED_LIMIT}",
        )
    else:
        yield Check("Workgroup", "ok", f"{name}, {limit / 1024**3:,.0f} GB a query at most")


def _table(settings: AthenaSettings) -> Iterator[Check]:
    glue = _client("glue", settings.region)
    table = glue.get_table(DatabaseName=settings.database, Name=settings.table)["Table"]
    listed = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
    columns = {column["Name"].lower() for column in listed}
    missing = [column for column in (*REQUIRED, "billing_period") if column not in columns]
    name = f"{settings.database}.{settings.table}"
    if missing:
        yield Check(
            "Table",
            "problem",
            f"{name} lacks {', '.join(missing)}",
            "The bill can't be read without.",
            "Use the table of a CUR 2.0 export, partitioned by billing_period: see deploy/.",
            f"aws glue get-table --database-name {settings.database} --name {settings.table}",
        )
        return
    yield Check("Table", "ok", f"{name}, {len(columns)} columns")
    for column in WITHOUT:
        if column not in columns:
            yield Check(
                "Table",
                "warning",
                f"{name} lacks {column}",
                WITHOUT[column],
                "Billing and Cost Management > Data Exports > the export > Edit > Column "
                "selection; then bring the table up to date.",
            )


def _export(settings: AthenaSettings) -> Iterator[Check]:
    del settings  # exports belong to the account
    exports = _client("bcm-data-exports", BILLING_REGION)
    found = []
    for page in exports.get_paginator("list_exports").paginate():
        for reference in page["Exports"]:
            export = exports.get_export(ExportArn=reference["ExportArn"])["Export"]
            tables = export["DataQuery"].get("TableConfigurations", {})
            if "COST_AND_USAGE_REPORT" in tables:
                found.append((export["Name"], tables["COST_AND_USAGE_REPORT"]))
    if not found:
        yield Check(
            "Data export",
            "warning",
            "no CUR 2.0 export in this account",
            "It may belong to the management account; then look there.",
            "Billing and Cost Management > Data Exports > Create: CUR 2.0.",
            f"aws bcm-data-exports list-exports --region {BILLING_REGION}",
        )
    for name, configuration in found:
        if configuration.get(WITH_PRINCIPALS, "FALSE").upper() == "TRUE":
            yield Check("Data export", "ok", f"{name} includes IAM principal data")
        else:
            yield Check(
                "Data export",
                "warning",
                f"{name} has no IAM principal data",
                "Spend can't be shown by principal, and principals' tags are missing.",
                f"Billing and Cost Management > Data Exports > {name} > Edit > Include caller "
                "identity (IAM principal) allocation data.",
            )


def _client(service: str, region: str | None) -> Any:  # noqa: ANN401  (boto3 makes them at run time)
    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    config = Config(connect_timeout=5, read_timeout=15, retries=retries)
    return boto3.Session().client(service, region_name=region, config=config)  # type: ignore[call-overload]
