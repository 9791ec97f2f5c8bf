"""Checks of the AWS account that the bill is read from: may the program ask, and what is there?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.config import Config

from chargeback.aws.problems import words_of
from chargeback.aws.session import new_session
from chargeback.doctor.check import EXPORTS_PAGE, MAKE_EXPORT, Check, State, failed
from chargeback.errors import SourceProblem
from chargeback.notices import COLUMNS
from chargeback.sources.athena import problems as athena_problems
from chargeback.sources.athena.delivery import AthenaDelivery, DeliveryUnknown
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.billing import problems as billing_problems
from chargeback.sources.billing.answers import NO_ANSWER
from chargeback.sources.cur2 import REQUIRED
from chargeback.workspace import Workspace

BILLING_REGION = "us-east-1"
"""Where the Data Exports API answers (Data Exports User Guide, "Quotas and restrictions")."""
SUGGESTED_LIMIT = 1024**4
"""Bytes: at $5 per TB no query costs more than $5."""
CUR = "COST_AND_USAGE_REPORT"
"""Data Exports' name of CUR 2.0."""
WITH_PRINCIPALS = "INCLUDE_IAM_PRINCIPAL_DATA"
GLUE = "awsdatacatalog"
"""Athena's name, in lower case, of the account's own Glue catalog."""
NOT_THERE = "^EntityNotFound|(?i:workgroup.* not found)"
"""In AWS's words: it answered, and what the settings name does not exist."""


def examine_account(workspace: Workspace) -> Iterator[Check]:
    """One check after another; what is refused does not stop the rest."""
    settings = workspace.settings.athena
    if settings is None:
        return
    looks: dict[str, Callable[[AthenaSettings], Iterator[Check]]] = {
        "Region": _region,
        "Workgroup": _workgroup,
        "Table": _table,
        "Deliveries": partial(_deliveries, workspace),
    }
    for name, look in looks.items():
        try:
            yield from look(settings)
        except NO_ANSWER as error:
            state: State = "problem" if re.search(NOT_THERE, words_of(error)) else "unknown"
            yield failed(name, athena_problems.as_problem(error), state)
    for name, look, service, action in (
        ("Credentials", _identity, "AWS STS", "sts:GetCallerIdentity"),
        ("Data export", _export, "Data Exports", "bcm-data-exports:ListExports"),
    ):
        try:
            yield from look(settings)
        except NO_ANSWER as error:
            problem = billing_problems.as_problem(error, service, action)
            yield failed(name, problem, "unknown")


def _identity(settings: AthenaSettings) -> Iterator[Check]:
    caller = _client("sts", settings.region or BILLING_REGION).get_caller_identity()
    yield Check("Credentials", "ok", f"{caller['Arn']} in account {caller['Account']}")


def _region(settings: AthenaSettings) -> Iterator[Check]:
    region = settings.region or new_session().region_name
    if region:
        yield Check("Region", "ok", region)
        return
    yield Check(
        "Region",
        "problem",
        "none is set",
        "Athena can't be queried.",
        "Set `region` in the [athena] section to the region of the table.",
        "export CHARGEBACK_ATHENA__REGION=us-east-1",
    )


def _workgroup(settings: AthenaSettings) -> Iterator[Check]:
    name = settings.workgroup
    answer = _client("athena", settings.region).get_work_group(WorkGroup=name)
    group = answer.get("WorkGroup", {})
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
            f"{_command(settings, 'athena update-work-group')} --work-group {name} --state ENABLED",
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
            f"{_command(settings, 'athena update-work-group')} --work-group {name} "
            f"--configuration-updates BytesScannedCutoffPerQuery={SUGGESTED_LIMIT}",
        )
    else:
        yield Check("Workgroup", "ok", f"{name}, {limit / 1024**3:,.0f} GB a query at most")


def _table(settings: AthenaSettings) -> Iterator[Check]:
    name = f"{settings.database}.{settings.table}"
    later = "Its columns are seen when it is read."
    if settings.catalog.lower() != GLUE:
        found = f"{name} is in the catalog {settings.catalog}, which is not this account's Glue"
        yield Check("Table", "unknown", found, later)
        return
    glue = _client("glue", settings.region)
    table = glue.get_table(DatabaseName=settings.database, Name=settings.table)["Table"]
    listed = table.get("StorageDescriptor", {}).get("Columns", [])
    partitions = {column["Name"].lower() for column in table.get("PartitionKeys", [])}
    if listed:
        columns = {column["Name"].lower() for column in listed} | partitions
        yield from _columns(settings, name, columns, "billing_period" in partitions)
    else:
        found = f"{name} names no columns: it may be a link to another account's table"
        yield Check("Table", "unknown", found, later)


def _deliveries(workspace: Workspace, settings: AthenaSettings) -> Iterator[Check]:
    """Whether the newest month is a whole delivery, and whether that can be known."""
    stored = workspace.store.periods(workspace.source.source_id)
    if not stored:
        return
    month = stored[0].manifest.billing_period
    try:
        odd = AthenaDelivery(settings).check(month)
    except DeliveryUnknown as why:
        yield Check(
            "Deliveries",
            "unknown",
            f"not checked against their manifests: {why}",
            "A file that is there twice, or a delivery that is only half written, would go "
            "unnoticed.",
            "Allow s3:ListBucket and s3:GetObject on the export's bucket, its folder metadata/ "
            "included, and glue:GetTable on the table.",
        )
    except SourceProblem as problem:
        yield failed("Deliveries", problem, "warning")
    else:
        yield from (Check("Deliveries", "problem", each.code, each.words) for each in odd)
        if not odd:
            yield Check("Deliveries", "ok", f"{month} is what its manifest names")


def _columns(
    settings: AthenaSettings, name: str, columns: set[str], is_partitioned: bool
) -> Iterator[Check]:
    missing = [column for column in (*REQUIRED, "billing_period") if column not in columns]
    place = f"--database-name {settings.database} --name {settings.table}"
    command = f"{_command(settings, 'glue get-table')} {place}"
    if missing:
        yield Check(
            "Table",
            "problem",
            f"{name} lacks {', '.join(missing)}",
            "The bill can't be read without them.",
            "Use the table of a CUR 2.0 export, partitioned by billing_period: see deploy/.",
            command,
        )
        return
    if not is_partitioned:
        yield Check(
            "Table",
            "warning",
            f"{name} is not partitioned by billing_period",
            "Reading one month scans the whole table, and costs as much.",
            "Partition it by billing_period: see deploy/chargeback.yaml.",
            command,
        )
    yield Check("Table", "ok", f"{name}, {len(columns)} columns")
    for column in COLUMNS:
        if column not in columns:
            yield Check(
                "Table",
                "warning",
                f"{name} lacks {column}",
                COLUMNS[column].words,
                f"{EXPORTS_PAGE} > the export > Edit > Column selection; then update the table.",
            )


def _export(settings: AthenaSettings) -> Iterator[Check]:
    del settings  # exports belong to the account
    exports = _client("bcm-data-exports", BILLING_REGION)
    found = []
    for page in exports.get_paginator("list_exports").paginate():
        for reference in page.get("Exports", []):
            answer = exports.get_export(ExportArn=reference["ExportArn"])
            if CUR in answer["Export"]["DataQuery"].get("TableConfigurations", {}):
                found.append(answer)
    if not found:
        yield Check(
            "Data export",
            "warning",
            "no CUR 2.0 export in this account",
            "It may belong to the management account: check there.",
            f"{EXPORTS_PAGE} > Create: CUR 2.0.",
            f"aws bcm-data-exports list-exports --region {BILLING_REGION}",
        )
    yield from (_delivery(export) for export in found if _is_unhealthy(export))
    including = [export for export in found if _includes_principals(export)]
    for answer in including:
        since = answer.get("ExportStatus", {}).get("CreatedAt")
        made = f", made on {since:%-d %B %Y}" if since else ""
        name = answer["Export"]["Name"]
        yield Check("Data export", "ok", f"{name} includes IAM principal data{made}")
    if found and not including:
        names = ", ".join(answer["Export"]["Name"] for answer in found)
        yield Check(
            "Data export",
            "warning",
            f"{names}: no IAM principal data",
            "Spend can't be shown by principal, and principals' tags are missing.",
            f"{EXPORTS_PAGE} > Create, or Edit where it is offered > Include caller identity (IAM "
            "principal) allocation data; deploy/chargeback.yaml makes such an export.",
            MAKE_EXPORT,
        )


def _includes_principals(answer: dict[str, Any]) -> bool:
    configuration = answer["Export"]["DataQuery"]["TableConfigurations"][CUR]
    return bool(configuration.get(WITH_PRINCIPALS, "FALSE").upper() == "TRUE")


def _is_unhealthy(answer: dict[str, Any]) -> bool:
    return bool(answer.get("ExportStatus", {}).get("StatusCode") == "UNHEALTHY")


def _delivery(answer: dict[str, Any]) -> Check:
    name = answer["Export"]["Name"]
    reason = answer["ExportStatus"].get("StatusReason", "no reason given")
    return Check(
        "Data export",
        "warning",
        f"{name} is not delivered: {reason}",
        "The newest days are missing until it is delivered.",
        f"{EXPORTS_PAGE} > {name}. INSUFFICIENT_PERMISSION: the bucket's policy must let Data "
        "Exports write, see ReportBucketPolicy in deploy/chargeback.yaml.",
        f"aws bcm-data-exports list-exports --region {BILLING_REGION}",
    )


def _command(settings: AthenaSettings, operation: str) -> str:
    return f"aws {operation}" + (f" --region {settings.region}" if settings.region else "")


def _client(service: str, region: str | None) -> Any:  # noqa: ANN401  (boto3 makes them at run time)
    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    config = Config(connect_timeout=5, read_timeout=15, retries=retries)
    return new_session().client(service, region_name=region, config=config)  # type: ignore[call-overload]
