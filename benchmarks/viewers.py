"""Fifty viewers at once, ten seconds between clicks, and whether each is shown what was asked for.

    python -m benchmarks.viewers --bills year

Each viewer is a session over a WebSocket that goes at random from page to page, month to month and
tenant to tenant. The heading and one figure of every answer are looked at: the figure is the
bill's own, which DuckDB added up before from the files that AWS writes. As many viewers of an empty
Streamlit page stand beside it. The viewers share the machine's cores with the server: the share of
each is said.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from os import cpu_count
from pathlib import Path
from random import Random
from statistics import median, quantiles
from urllib.parse import urlencode

import duckdb
from streamlit.proto.Element_pb2 import Element

from benchmarks.browser import ROOT, Server, Tab, running
from benchmarks.measure import Row, arguments, measured, scratch, show_rows
from benchmarks.pages import BILLS, MONTH, TENANT, prepare
from chargeback.formats import money, month_name
from chargeback.money import cents
from chargeback.ui.markdown import plain
from chargeback.workspace import Workspace

VIEWERS = 50
CLICKS = 12
PAUSE_SECONDS = 10
AIM_SECONDS = 1.0
TABLE = "chargeback.table"
CARD = ("Spend", "Spend so far")

PAGES = {
    "": "",
    "tenants": "Tenants",
    "teams": "Teams",
    "principals": "Principals",
    "models": "Models",
    "chargeback": "Chargeback",
}
"""What stands before the month in a page's heading, by the page's name in the address."""
BY_CARD = ("", "models")
"""Pages whose figure is the card 'Spend'; of the others it is their table's total."""
WHOLE_MONTH = "chargeback"
"""Filters do not apply there."""

ALL = ""
Sums = Mapping[tuple[str, str], Decimal]
"""By month and tenant what was billed, in dollars; the tenant ALL is the whole month."""

SUMS = """
    WITH bedrock AS (
        SELECT
            COALESCE(tags['iamPrincipal/tenant'], '') AS tenant,
            line_item_line_item_type LIKE '%Discount' AS is_discount,
            line_item_unblended_cost AS unblended,
            COALESCE(line_item_net_unblended_cost, line_item_unblended_cost) AS net
        FROM read_parquet($files, union_by_name = true)
        WHERE bill_billing_entity = 'AWS' AND line_item_product_code LIKE '%Bedrock%'
           OR bill_billing_entity = 'AWS Marketplace' AND product['product_name'] LIKE '%Bedrock%'
    )
    SELECT tenant, sum(CAST(CAST(
        CASE WHEN (SELECT bool_or(is_discount) FROM bedrock) THEN unblended ELSE net END
        AS VARCHAR) AS DECIMAL(38, 12)))
    FROM bedrock
    GROUP BY GROUPING SETS ((tenant), ())
    ORDER BY grouping(tenant) DESC
"""
"""The whole month first, then each tenant."""


@dataclass
class Load:
    """What viewers met."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Of each answer that was not what was asked for, what it was."""

    @property
    def p95(self) -> float:
        """Seconds within which 95 of 100 answers came."""
        return quantiles(self.seconds, n=20)[-1]

    @property
    def in_words(self) -> str:
        """Median, 95th percentile and slowest."""
        return f"median {median(self.seconds):.2f} s, p95 {self.p95:.2f} s, slowest " + (
            f"{max(self.seconds):.2f} s"
        )


@dataclass(frozen=True)
class Found:
    """A load, and what it took of the machine."""

    load: Load
    server_cpu: float
    """Seconds of CPU time an answer: what other work on the machine disturbs least."""
    server_cores: float
    client_cores: float
    peak_gib: float


def bill_sums(cur: Path) -> Sums:
    """What each tenant was billed each month, from the export's files."""
    sums: dict[tuple[str, str], Decimal] = {}
    for folder in sorted(cur.glob("*/data/BILLING_PERIOD=*")):
        month = folder.name.partition("=")[2]
        with duckdb.connect() as connection:
            found = connection.execute(SUMS, {"files": str(folder / "*.parquet")}).fetchall()
        (_, total), *tenants = found
        sums[month, ALL] = total
        sums |= {(month, tenant): cost for tenant, cost in tenants if tenant}
    return sums


class Viewer:
    """Somebody who looks at one thing after another, at random, and knows what it should show."""

    def __init__(self, place: str, sums: Sums, seed: int) -> None:
        self._random, self._sums = Random(seed), sums  # noqa: S311  (no secret)
        self._page, self._tenant = self._random.choice(list(PAGES)), ALL
        self._month = max(self._months_of(ALL))
        self._tab = Tab(place, self._page)

    def look(self, clicks: int, load: Load) -> None:
        """Opens a page, then clicks so many times."""
        with closing(self._tab):
            time.sleep(self._random.uniform(0, PAUSE_SECONDS))
            self._see(load)
            for _ in range(clicks):
                time.sleep(self._random.uniform(0.5, 1.5) * PAUSE_SECONDS)
                self._click()
                self._see(load)

    def _click(self) -> None:
        asked = self._random.random()
        if asked < 0.3:
            self._follow_a_link()
        elif asked < 0.6 and self._page != WHOLE_MONTH and self._tenants_of(self._month):
            self._tenant = self._random.choice(self._tenants_of(self._month))
            self._tab.choose_only(TENANT, self._tenant)
        else:
            self._month = self._random.choice(self._months_of(self._tenant))
            self._tab.choose(MONTH, month_name(self._month))

    def _tenants_of(self, month: str) -> list[str]:
        return [tenant for its_month, tenant in self._sums if its_month == month and tenant]

    def _months_of(self, tenant: str) -> list[str]:
        return [month for month, its_tenant in self._sums if its_tenant == tenant]

    def _follow_a_link(self) -> None:
        """To another page; half of the time to the whole bill."""
        self._page = self._random.choice(list(PAGES))
        self._tenant = self._random.choice([ALL, self._tenant])
        asked = {"month": self._month} | ({"tenant": self._tenant} if self._tenant else {})
        self._tab.go(self._page, urlencode(asked))

    def _see(self, load: Load) -> None:
        try:
            load.seconds.append(self._tab.run())
        except (AssertionError, OSError, TimeoutError) as error:
            load.wrong.append(f"{self._page} {self._month} {self._tenant}: {error}")
            return
        tenant = ALL if self._page == WHOLE_MONTH else self._tenant
        asked = self._sums.get((self._month, tenant), Decimal())
        if missing := not_shown(self._tab.shown, self._page, self._month, asked):
            load.wrong.append(f"{self._page} {self._month} {tenant}: {missing}")


def not_shown(shown: Sequence[Element], page: str, month: str, cost: Decimal) -> str:
    """What a page should say of a view and does not; '' if it says all."""
    title = ", ".join(filter(None, (PAGES[page], month_name(month))))
    if title not in [each.heading.body for each in shown if each.WhichOneof("type") == "heading"]:
        return f"no heading {title}"
    if page in BY_CARD:
        return _lacks(plain(money(cost, "USD")), list(_cards(shown)))
    return _lacks(cents(cost) if page == WHOLE_MONTH else cost, list(_totals(shown)))


def _lacks(figure: object, shown: Sequence[object]) -> str:
    return "" if figure in shown else f"{figure} is none of {[*map(str, shown)]}"


def _cards(shown: Sequence[Element]) -> Iterator[str]:
    for each in shown:
        if each.WhichOneof("type") == "metric" and each.metric.label in CARD:
            yield each.metric.body


def _totals(shown: Sequence[Element]) -> Iterator[Decimal]:
    """Each amount in the last row of a table."""
    for each in shown:
        if each.bidi_component.component_name == TABLE:
            for column in json.loads(each.bidi_component.json)["columns"]:
                if column["kind"] == "money" and column.get("totalValue") is not None:
                    yield Decimal(column["totalValue"])


class Idler:
    """Somebody who clicks on a page that shows nothing."""

    def __init__(self, place: str, seed: int) -> None:
        self._random, self._tab = Random(seed), Tab(place, "")  # noqa: S311

    def look(self, clicks: int, load: Load) -> None:
        """Opens the page, then clicks so many times."""
        with closing(self._tab):
            time.sleep(self._random.uniform(0, PAUSE_SECONDS))
            load.seconds.append(self._tab.run())
            for _ in range(clicks):
                time.sleep(self._random.uniform(0.5, 1.5) * PAUSE_SECONDS)
                load.seconds.append(self._tab.run())


def crowd(viewers: Sequence[Viewer | Idler], clicks: int, server: Server) -> Found:
    """All of them at once."""
    load, start = Load(), time.perf_counter()
    before = (server.cpu_seconds, time.process_time())
    with ThreadPoolExecutor(len(viewers)) as pool:
        for looking in [pool.submit(each.look, clicks, load) for each in viewers]:
            looking.result()
    seconds = time.perf_counter() - start
    server_cpu, client_cpu = server.cpu_seconds - before[0], time.process_time() - before[1]
    return Found(
        load,
        server_cpu / len(load.seconds),
        server_cpu / seconds,
        client_cpu / seconds,
        server.peak_gib,
    )


def idle(script: Path, viewers: int, clicks: int) -> Found:
    """As many viewers of an empty page."""
    script.write_text("import streamlit\n", "utf-8")
    with running(script, {}) as server:
        return crowd([Idler(server.place, seed) for seed in range(viewers)], clicks, server)


def visit(workspace: Workspace, sums: Sums, viewers: int, clicks: int) -> Found:
    """Viewers of a bill, on a server that has shown one page: the first is measured elsewhere."""
    settings = {
        "CHARGEBACK_CUR": str(workspace.settings.cur),
        "CHARGEBACK_STORE": str(workspace.settings.store_folder),
    }
    with running(ROOT / "app.py", settings) as server:
        with closing(Tab(server.place, "")) as first:
            first.run()
        everybody = [Viewer(server.place, sums, seed) for seed in range(viewers)]
        return crowd(everybody, clicks, server)


def row(bill: str, found: Found, empty: Found) -> Row:
    """A line of the table of what is promised."""
    load, cores = found.load, cpu_count()
    return Row(
        what=f"{VIEWERS} viewers, {PAUSE_SECONDS} s between clicks, {bill}",
        took=f"{load.in_words}, {len(load.wrong)} errors, {found.peak_gib:.2f} GiB, "
        f"{found.server_cpu * 1000:.0f} ms of CPU an answer; of {cores} cores the server had "
        f"{found.server_cores:.2f}, the viewers {found.client_cores:.2f}",
        baseline=f"an empty Streamlit page {empty.load.in_words}, {empty.peak_gib:.2f} GiB, "
        f"{empty.server_cpu * 1000:.0f} ms",
        ratio=median(load.seconds) / median(empty.load.seconds),
        aim=f"p95 under {AIM_SECONDS:.0f} s, no error",
        is_met=load.p95 < AIM_SECONDS and not load.wrong,
    )


def rows(
    folder: Path, bills: Sequence[str] = ("year",), viewers: int = VIEWERS, clicks: int = CLICKS
) -> Iterator[Row]:
    """Each bill's line; what was wrong is printed."""
    empty = idle(folder / "empty.py", viewers, clicks)
    for bill in bills:
        workspace = measured(prepare, bill, folder).answer
        sums = measured(bill_sums, workspace.settings.cur).answer
        found = visit(workspace, sums, viewers, clicks)
        print(*found.load.wrong, sep="\n", flush=True)
        yield row(bill, found, empty)


def main() -> None:
    """Prints one table."""
    parser = arguments(__doc__)
    parser.add_argument("--bills", nargs="+", choices=BILLS, default=["year"])
    parser.add_argument("--viewers", type=int, default=VIEWERS)
    parser.add_argument("--clicks", type=int, default=CLICKS)
    asked = parser.parse_args()
    with scratch(asked.folder) as folder:
        show_rows("At once", rows(folder, asked.bills, asked.viewers, asked.clicks))


if __name__ == "__main__":
    main()
