"""Every question that pages ask, over a year of months of 700,000 rows, against bare DuckDB.

    python -m benchmarks.reports

Asked of the newest month, so that its history is the whole year. Each time a new Reports answers,
which remembers nothing. Bare DuckDB sums one column of the same files, of the same month, by one
other: the least that any answer takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from operator import methodcaller
from pathlib import Path
from statistics import median

import duckdb

from benchmarks import stores
from benchmarks.measure import arguments, measured, scratch, show, timed
from chargeback.enrichment.local import EnrichedPeriod, enriched
from chargeback.enrichment.local_tables import LocalTables
from chargeback.reports.answers import DIMENSIONS, Reports, View
from chargeback.statement.build import UNITS
from chargeback.store.local import LocalStore

MONTH, TODAY, IN_MONTH = stores.YEAR[-1], date(2026, 11, 23), date(2026, 10, 31)
TARGET_MS = 100
ALL = View(MONTH, "USD")
ONE_TENANT = ALL.narrowed("tenant", "tenant-7")
KEYS_OF = ONE_TENANT.parameters()
HALF_MONTH = View(MONTH, "USD", days=15)
NAMED = [f"tenant-{number}" for number in range(5)]

Answer = Callable[[Reports], object]

MONTHLY: dict[str, Answer] = {
    **{f"ranking by {by}": methodcaller("ranking", ALL, by) for by in DIMENSIONS},
    "ranking by principal of one tenant": lambda r: r.ranking(ONE_TENANT, "principal"),
    "summary": lambda r: r.summary(ALL, TODAY),
    "usage_mix": lambda r: r.usage_mix(ALL),
    "attribution": lambda r: r.attribution(ALL),
    "unrecognised": lambda r: r.unrecognised(ALL),
    "options": lambda r: r.options(MONTH, "USD"),
    "movement by tenant": lambda r: r.movement(ALL, "tenant", NAMED),
    "name_of a tenant": lambda r: r.name_of(ALL, "tenant", "tenant-7"),
    "ties": lambda r: r.ties(MONTH, "USD"),
    **{f"charges by {by}": methodcaller("charges", MONTH, by) for by in UNITS},
}
DAILY: dict[str, Answer] = {
    "summary of an open month": lambda r: r.summary(ALL, IN_MONTH),
    "the same of one tenant": lambda r: r.summary(ONE_TENANT, IN_MONTH),
    "daily_trend by tenant": lambda r: r.daily_trend(ALL, "tenant", NAMED),
    "daily_trend by principal of one tenant": lambda r: r.daily_trend(ONE_TENANT, "principal", []),
    "days": lambda r: r.days(ALL),
    "days of one tenant": lambda r: r.days(ONE_TENANT),
    "ranking by tenant, 15 days": lambda r: r.ranking(HALF_MONTH, "tenant"),
    "ranking by principal, 15 days": lambda r: r.ranking(HALF_MONTH, "principal"),
    "movement by tenant, 15 days": lambda r: r.movement(HALF_MONTH, "tenant", NAMED),
    "invoices": lambda r: r.invoices(MONTH),
    "tags_seen": lambda r: r.tags_seen(),
    "line_keys of one tenant": lambda r: r.tables.answer("line_keys", "daily", KEYS_OF),
    "detail, to its last row": lambda r: r.detail(MONTH).read_all(),
    "reconciliation": lambda r: r.reconciliation(MONTH, "USD", date(2026, 10, 29)),
}
"""Whose statement reads the daily rows; that of an open month is two, the other is monthly."""


LEAST = "SELECT tenant, sum(cost) FROM {grain} WHERE billing_period = $month GROUP BY tenant"
GRAINS = {"monthly": MONTHLY, "daily": DAILY}


def _prepare(folder: Path) -> None:
    """Reads the bill and works out what it means, in memory that is not the questions'."""
    stores.year(folder).reports()


def ask_all(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Asks every question in turns; the seconds of each, a round each."""
    workspace = stores.year(folder)
    periods, rules = workspace.store.periods(workspace.source.source_id), workspace.rules
    tables, bare = (
        LocalTables(LocalStore(workspace.store.folder), periods, rules),
        _bare([enriched(p, rules) for p in periods]),
    )
    seconds = defaultdict(list)
    for _ in range(rounds):
        for grain, questions in GRAINS.items():
            seconds[_base(grain)].append(timed(_least, bare, grain)[0])
            for name, question in questions.items():
                seconds[name].append(timed(question, Reports(periods, rules, tables))[0])
    return dict(seconds)


def _bare(meanings: Sequence[EnrichedPeriod]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for grain in GRAINS:
        files = [str(getattr(meaning, grain)) for meaning in meanings]
        connection.read_parquet(files).create_view(grain)
    return connection


def _least(bare: duckdb.DuckDBPyConnection, grain: str) -> None:
    assert bare.execute(LEAST.format(grain=grain), {"month": MONTH}).fetchall()


def _base(grain: str) -> str:
    return f"bare DuckDB, {grain} rows"


def _rows(seconds: dict[str, list[float]]) -> Iterator[list[str]]:
    for grain, questions in GRAINS.items():
        base = seconds[_base(grain)]
        for name in (_base(grain), *questions):
            took = median(seconds[name]) * 1000
            ratio = median(a / b for a, b in zip(seconds[name], base, strict=True))
            over = "yes" if took > TARGET_MS else ""
            yield [name, f"{took:.0f}", f"{ratio:.1f}", over]


def main() -> None:
    """Prints one table."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with scratch(asked.folder) as folder:
        measured(_prepare, folder)
        found = measured(ask_all, folder, asked.rounds)
    title = f"Questions on a year, medians; at most {found.peak_gib:.1f} GiB of memory"
    show(title, ["question", "ms", "ratio", f"over {TARGET_MS} ms"], list(_rows(found.answer)))


if __name__ == "__main__":
    main()
