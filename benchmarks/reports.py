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
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from benchmarks import stores
from benchmarks.measure import arguments, measured, scratch, show, timed
from chargeback.access.rows import EVERYTHING
from chargeback.dimensions import BY_NAME, CHARGED
from chargeback.enrichment.local import EnrichedPeriod, enrich
from chargeback.enrichment.local_tables import LocalTables
from chargeback.reports.answers import Answers
from chargeback.reports.bridge import bridge
from chargeback.reports.causes import causes
from chargeback.reports.charges import (
    bill_by_product,
    billed_elsewhere,
    charges_by_unit,
    detail,
    invoice_totals,
)
from chargeback.reports.coverage import deciding_sources, tags_seen
from chargeback.reports.daily import daily_trend, list_days
from chargeback.reports.period_status import ties
from chargeback.reports.ranking import filter_options, name_of, rank
from chargeback.reports.summary import summarise
from chargeback.reports.usage_mix import unrecognised, usage_mix
from chargeback.reports.view import View
from chargeback.store.local import LocalStore

MONTH, TODAY, IN_MONTH = stores.YEAR[-1], date(2026, 11, 23), date(2026, 10, 31)
TARGET_MS = 100
ALL = View(MONTH, "USD", EVERYTHING)
WHOLE = View.of_month(MONTH, EVERYTHING)
ONE_TENANT = ALL.narrowed("tenant", "tenant-7")
KEYS_OF = ONE_TENANT.parameters()
HALF_MONTH = View(MONTH, "USD", EVERYTHING, days=15)
NAMED = [f"tenant-{number}" for number in range(5)]

Answer = Callable[[Answers], object]

MONTHLY: dict[str, Answer] = {
    **{f"ranking by {by}": partial(rank, view=ALL, dimension=by) for by in BY_NAME},
    "ranking by principal of one tenant": lambda r: rank(r, ONE_TENANT, "principal"),
    "summary": lambda r: summarise(r, ALL, TODAY),
    "usage_mix": lambda r: usage_mix(r, ALL),
    "attribution": lambda r: deciding_sources(r, ALL),
    "unrecognised": lambda r: unrecognised(r, ALL),
    "options": lambda r: filter_options(r, ALL),
    "bridge of a tenant": lambda r: bridge(r, ONE_TENANT),
    "name_of a tenant": lambda r: name_of(r, ALL, "tenant", "tenant-7"),
    "ties": lambda r: ties(r, ALL),
    **{
        f"charges by {by}": partial(charges_by_unit, view=WHOLE, dimension=of.name)
        for by, of in CHARGED.items()
    },
}
DAILY: dict[str, Answer] = {
    "summary of an open month": lambda r: summarise(r, ALL, IN_MONTH),
    "the same of one tenant": lambda r: summarise(r, ONE_TENANT, IN_MONTH),
    "daily_trend by tenant": lambda r: daily_trend(r, ALL, "tenant", NAMED),
    "daily_trend by principal of one tenant": lambda r: daily_trend(r, ONE_TENANT, "principal", []),
    "days": lambda r: list_days(r, ALL),
    "days of one tenant": lambda r: list_days(r, ONE_TENANT),
    "ranking by tenant, 15 days": lambda r: rank(r, HALF_MONTH, "tenant"),
    "ranking by principal, 15 days": lambda r: rank(r, HALF_MONTH, "principal"),
    "causes": lambda r: causes(r, ALL),
    "causes of a tenant, 15 days": lambda r: causes(r, HALF_MONTH.narrowed("tenant", "tenant-7")),
    "invoices": lambda r: invoice_totals(r, WHOLE),
    "tags_seen": lambda r: tags_seen(r, WHOLE.since(stores.YEAR[0])),
    "line_keys of one tenant": lambda r: r.tables.answer("line_keys", "daily", KEYS_OF),
    "detail, to its last row": lambda r: detail(r, WHOLE).read_all(),
    "billed_elsewhere": lambda r: billed_elsewhere(r, ALL),
    "bill_by_product": lambda r: bill_by_product(r, ALL, date(2026, 10, 29)),
}
"""Whose statement reads the daily rows; that of an open month is two, the other is monthly."""


LEAST = "SELECT tenant, sum(cost) FROM {grain} WHERE billing_period = $month GROUP BY tenant"
GRAINS = {"monthly": MONTHLY, "daily": DAILY}


def _prepare(folder: Path) -> None:
    """Reads the bill and works out what it means, in memory that is not the questions'."""
    stores.year(folder).answers()


def ask_all(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Asks every question in turns; the seconds of each, a round each."""
    workspace = stores.year(folder)
    periods, rules = workspace.store.periods(workspace.source.source_id), workspace.rules
    tables, bare = (
        LocalTables(LocalStore(workspace.store.folder), periods, rules),
        _bare([enrich(p, rules) for p in periods]),
    )
    seconds = defaultdict(list)
    for _ in range(rounds):
        for grain, questions in GRAINS.items():
            seconds[_base(grain)].append(timed(_least, bare, grain)[0])
            for name, question in questions.items():
                seconds[name].append(timed(question, Answers(periods, rules, tables))[0])
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
