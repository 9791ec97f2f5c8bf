"""Whether everything is set up: checks with their state, what it means, and the exact fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from chargeback.errors import Problem, SourceProblem
from chargeback.reports import Reports
from chargeback.sources.athena import price
from chargeback.sources.cur2 import WITHOUT
from chargeback.workspace import Workspace

State = Literal["ok", "warning", "problem", "unknown"]

FRESH = timedelta(hours=48)
"""AWS writes an export at least once a day (Data Exports User Guide, "Export delivery")."""
PRINCIPALS = date(2026, 4, 1)
"""From when AWS records IAM principals, at the earliest."""
TAGS_PAGE = "Billing and Cost Management > Cost allocation tags > type IAM principal > Activate"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    found: str
    """What is there, in a few words."""
    means: str = ""
    """What that means for the numbers; '' where all is well."""
    todo: str = ""
    """The exact fix: where to go, what to choose."""
    command: str = ""
    """The same as a command to copy, where there is one."""


def examine(
    workspace: Workspace, now: datetime, account: Callable[[Workspace], Iterable[Check]]
) -> Iterator[Check]:
    """Looks at everything, one thing after another; what fails does not stop the rest.

    Args:
        workspace: what is configured.
        now: the time in UTC.
        account: the checks of the AWS account, which matter only where Athena is configured.
    """
    yield from _bill(workspace, now)
    if workspace.settings.athena is not None:
        yield from account(workspace)
    yield from _billing_apis(workspace, now.date())
    yield _spending(workspace, now.date())


def _bill(workspace: Workspace, now: datetime) -> Iterator[Check]:
    try:
        periods = workspace.source.periods()
    except SourceProblem as problem:
        yield failed("Bill", problem)
    else:
        months = [period.billing_period for period in periods]
        yield Check("Bill", "ok", f"{len(months)} billing periods, {months[-1]} to {months[0]}")
        yield _freshness(periods[0].data_as_of, now)
    stored = workspace.store.periods(workspace.source.source_id)
    if not stored:
        yield Check(
            "Spend store",
            "problem",
            "nothing read yet",
            "There is nothing to show.",
            "Read the bill.",
            "python -m chargeback refresh",
        )
        return
    lines = sum(period.manifest.lines_read for period in stored)
    yield Check("Spend store", "ok", f"{len(stored)} billing periods, {lines:,} Bedrock lines")
    yield from _columns(stored[0].manifest.notices)
    try:
        yield from _seen(workspace, workspace.reports())
    except Problem as problem:
        yield failed("Attribution rules", problem)


def _freshness(written: datetime, now: datetime) -> Check:
    found = f"AWS wrote the newest period on {written:%-d %B %Y, %H:%M} UTC"
    if now - written <= FRESH:
        return Check("Freshness", "ok", found)
    return Check(
        "Freshness",
        "warning",
        found,
        "The newest days are missing: an export is written at least once a day.",
        "Billing and Cost Management > Data Exports: look at the export's status.",
        "aws bcm-data-exports list-exports --region us-east-1",
    )


def _columns(notices: Iterable[str]) -> Iterator[Check]:
    missing = [column for column, notice in WITHOUT.items() if notice in notices]
    if not missing:
        yield Check("Columns", "ok", "every column that figures are made from")
    for column in missing:
        yield Check(
            "Columns",
            "warning",
            f"no column {column}",
            WITHOUT[column],
            "Billing and Cost Management > Data Exports > the export > Edit > Column selection.",
        )


def _seen(workspace: Workspace, reports: Reports) -> Iterator[Check]:
    """What the bill itself shows of principals and tags."""
    rows = reports.tags_seen().to_pylist()
    named = [row["first_date"] for row in rows if row["has_principal"]]
    if named:
        yield Check("IAM principals", "ok", f"on the bill since {min(named):%-d %B %Y}")
    else:
        yield Check(
            "IAM principals",
            "warning",
            "no line of the bill names one",
            f"Spend can't be shown by principal. AWS records it from {PRINCIPALS:%B %Y} on, and "
            "fills nothing in backwards.",
            "Billing and Cost Management > Data Exports > the export > Edit > Include caller "
            "identity (IAM principal) allocation data.",
        )
    seen = {key.casefold() for row in rows for key, text in json.loads(row["tags"]).items() if text}
    for dimension, keys in workspace.settings.attribution.tag_keys().items():
        found = [key for key in keys if key.casefold() in seen]
        if found:
            yield Check(f"Tag for {dimension}", "ok", f"{', '.join(found)} on the bill")
        elif keys:
            yield Check(
                f"Tag for {dimension}",
                "warning",
                f"no line carries {' or '.join(keys)}",
                f"Nothing can be charged to a {dimension} by tag: it is all (unallocated).",
                f"Tag the IAM roles or sessions, and activate the key: {TAGS_PAGE}.",
            )


def _billing_apis(workspace: Workspace, on: date) -> Iterator[Check]:
    try:
        tags = workspace.cost_explorer.cost_allocation_tags()
    except SourceProblem as problem:
        yield failed("Cost Explorer", problem, "unknown")
    else:
        yield Check("Cost Explorer", "ok", "answers")
        active = {tag.key.casefold() for tag in tags if tag.is_active}
        for keys in workspace.settings.attribution.tag_keys().values():
            yield from (_activation(key, active) for key in keys if key.startswith("iamPrincipal/"))
    try:
        month = f"{on.replace(day=1) - timedelta(1):%Y-%m}"
        payers = _payers(workspace.reports())
        listed = workspace.invoices.of_month(month, payers)
    except Problem as problem:
        yield failed("Invoices", problem, "unknown")
    else:
        found = f"{len(listed.invoices)} for last month" if payers else "no payer account known"
        yield Check("Invoices", "ok" if payers else "unknown", found)


def _activation(key: str, active: set[str]) -> Check:
    name = f"Cost allocation tag {key}"
    if key.casefold() in active:
        return Check(name, "ok", "active")
    return Check(
        name,
        "warning",
        "not active",
        "Lines do not carry the tag until it is active; AWS fills nothing in backwards.",
        f"{TAGS_PAGE}.",
        "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status "
        f"TagKey={key},Status=Active",
    )


def _payers(reports: Reports) -> list[str]:
    """The accounts that pay the newest month's bill."""
    return sorted(
        {
            payer
            for month in reports.months[:1]
            for total in reports.manifest(month).totals
            for payer in reports.payers(month, total.currency)
        }
    )


def _spending(workspace: Workspace, on: date) -> Check:
    """What this program has cost in the month, as far as it knows."""
    stored = workspace.store.periods(workspace.source.source_id)
    manifests = [p.manifest for p in stored if f"{p.manifest.extracted_at:%Y-%m}" == f"{on:%Y-%m}"]
    scanned = [m.bytes_scanned for m in manifests for _ in m.query_ids]
    athena = sum((price(size) for size in scanned), Decimal())
    explorer = workspace.cost_explorer
    asked = "" if not workspace.settings.is_demo else " (demo: nothing is charged)"
    return Check(
        "Spent by this program this month",
        "ok",
        f"Athena {sum(scanned) / 1024**3:,.2f} GB, ${athena:,.4f}; Cost Explorer "
        f"{explorer.requests_this_month:,} requests, ${explorer.spent_this_month:,.2f}{asked}",
    )


def failed(name: str, problem: Problem, state: State = "problem") -> Check:
    """A check that a problem answers."""
    return Check(name, state, problem.what, problem.means, problem.todo)
