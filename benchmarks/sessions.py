"""A month in which every call of one role has a session name of its own, against bare DuckDB.

    python -m benchmarks --only sessions

Five million ARNs beside a million ordinary lines. Bare DuckDB reads the same files by hand, and
sums the cost of the finished month by ARN: the least that a ranking of sessions takes.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks import bill
from benchmarks.measure import Measured, Row, measured, timed
from benchmarks.reading import by_duckdb, by_refresh
from chargeback.access.rows import EVERYTHING
from chargeback.enrichment.local import enrich
from chargeback.reports.ranking import TOLD_APART, rank, top_models
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace

MONTH = "2026-10"
SESSIONS = 5_000_000
ACCOUNT, ROLE = "400000000001", "one-session-a-call"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
ROLES, TENANTS = 300, 200
"""Of the ordinary lines, as in bill.write_month."""
MOST_GIB = 6

OF_THE_ROLE = """
    SELECT * REPLACE (
        'arn:aws:sts::' || $account || ':assumed-role/' || $role || '/call-'
        || md5(identity_line_item_id) AS line_item_iam_principal,
        $account AS line_item_usage_account_id,
        'workload-1' AS line_item_usage_account_name,
        '' AS line_item_resource_id,
        map {'iamPrincipal/team': 'team-1', 'iamPrincipal/tenant': 'tenant-1'} AS tags
    )
    FROM lines
    WHERE line_item_product_code <> 'AmazonEC2'
    LIMIT $wanted
"""
"""Of the lines of benchmarks/bill.py those of Bedrock, each as a call of the role."""
BY_ARN = "SELECT iam_principal, sum(cost) AS cost FROM daily GROUP BY 1 ORDER BY 2 DESC LIMIT 200"


def write_sessions(folder: Path, sessions: int) -> None:
    """Writes a million lines as bill.write_month does, and one for each session of the role."""
    bill.write_month(folder, MONTH, 1)
    partition = folder / bill.EXPORT / "data" / f"BILLING_PERIOD={MONTH}"
    year, number = int(MONTH[:4]), int(MONTH[5:])
    days = calendar.monthrange(year, number)[1]
    callers = bill.ROWS_PER_MILLION_LINES // (days * (bill.METERS - 1))
    shape = {
        "callers": callers,
        "first_hour": datetime(year, number, 1),
        "hours": 24 * days,
        "meters": bill.METERS,
        "month": MONTH,
        "scatter": bill.SCATTER,
    }
    named = {"account": ACCOUNT, "role": ROLE}
    with duckdb.connect() as connection:
        connection.execute(bill.METER_TABLE)
        connection.execute(
            bill.CALLER_TABLE, {"callers": callers, "roles": ROLES, "tenants": TENANTS}
        )
        for first in range(0, sessions, bill.FILE_LINES):
            # Twice as many lines as are wanted: some are not Bedrock's.
            start = bill.MILLION + 2 * first
            span = {"first_line": start, "end_line": start + 2 * bill.FILE_LINES}
            connection.sql(bill.LINES, params={**shape, **span}).create_view("lines", replace=True)
            wanted = min(bill.FILE_LINES, sessions - first)
            lines = connection.sql(OF_THE_ROLE, params={**named, "wanted": wanted})
            file = partition / f"{bill.EXPORT}-sessions-{start}.snappy.parquet"
            lines.write_parquet(
                str(file), compression="snappy", row_group_size=bill.ROW_GROUP_LINES
            )


def by_meaning(cur: Path, store: Path) -> Path:
    """What the rows of a store that was read mean."""
    workspace = Workspace(Settings(cur=cur, store=store, athena=None))
    (stored,) = workspace.store.periods(workspace.source.source_id)
    return enrich(stored, workspace.rules).daily


def by_page(cur: Path, store: Path) -> tuple[float, float, int]:
    """Seconds of the ranking of the role's sessions, of bare DuckDB's sum, and rows to draw."""
    workspace = Workspace(Settings(cur=cur, store=store, athena=None))
    answers = workspace.answers()
    (stored,) = workspace.store.periods(workspace.source.source_id)
    role = View(MONTH, "USD", EVERYTHING).narrowed("principal", PRINCIPAL)
    with duckdb.connect() as connection:
        connection.read_parquet(str(enrich(stored, workspace.rules).daily)).create_view("daily")
        bare, _ = timed(lambda: connection.sql(BY_ARN).fetchall())
    ranked, ranking = timed(rank, answers, role, "iam_principal")
    models, _ = timed(top_models, answers, role, "iam_principal", ranking)
    assert ranking["units"].sum() == SESSIONS
    return ranked + models, bare, len(ranking)


def rows(folder: Path) -> Iterator[Row]:
    """The lines of the table: reading, what it means, and a role's sessions on a page."""
    cur = folder / f"cur-sessions-{SESSIONS}"
    if not cur.exists():
        measured(write_sessions, cur, SESSIONS)
    with TemporaryDirectory(dir=folder) as out:
        bare = measured(by_duckdb, cur, Path(out) / "bare.parquet")
        store = Path(out) / "store"
        yield _row("into the store", measured(by_refresh, cur, store), bare)
        yield _row("what they mean", measured(by_meaning, cur, store), bare)
        page = measured(by_page, cur, store)
        seconds, least, drawn = page.answer
        yield Row(
            what=f"{SESSIONS:,} sessions of a role, ranked",
            took=f"{seconds:.1f} s, {page.peak_gib:.1f} GiB, {drawn:,} rows",
            baseline=f"bare DuckDB's sum by ARN {least:.1f} s",
            ratio=seconds / least,
            aim=f"{TOLD_APART:,} rows and the others, under {MOST_GIB} GiB",
            is_met=drawn <= TOLD_APART + 1 and page.peak_gib < MOST_GIB,
        )


def _row(what: str, took: Measured[Path], bare: Measured[Path]) -> Row:
    return Row(
        what=f"{SESSIONS:,} sessions of a role, {what}",
        took=f"{took.seconds:.1f} s, {took.cpu_seconds:.1f} s CPU, {took.peak_gib:.1f} GiB",
        baseline=f"bare DuckDB {bare.seconds:.1f} s, {bare.cpu_seconds:.1f} s CPU",
        ratio=took.cpu_seconds / bare.cpu_seconds,
        aim=f"under {MOST_GIB} GiB",
        is_met=took.peak_gib < MOST_GIB,
    )
