"""What this program costs its owner in a month: what it asks of AWS, times AWS's prices.

An organisation is what decides that: its bill, and how often somebody looks. What is asked follows
from how the bill is read and kept. docs/running-cost.md tells it; a test holds it against what was
counted by services that answer as AWS does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chargeback.billing_period import month_of
from chargeback.formats import month_name
from chargeback.money import ZERO
from chargeback.sources.athena.costs import price
from chargeback.sources.billing.cost_explorer import PRICE
from chargeback.workspace import Workspace

PRICE_TO_WRITE = Decimal("0.005") / 1000
PRICE_TO_READ = Decimal("0.0004") / 1000
PRICE_TO_KEEP = Decimal("0.023")
"""US dollars in us-east-1 for a request of Amazon S3 that writes or lists, for one that reads, and
for a GB kept for a month (https://aws.amazon.com/s3/pricing/, S3 Standard, as published)."""
GB, MB, MILLION = 1024**3, 1024**2, 10**6

BYTES_DELIVERED, BYTES_SCANNED, BYTES_KEPT = 50, 25, 3
"""Of one CUR line: in the export of deploy/chargeback.yaml, scanned when it is read, and, if it is
Bedrock's, in the spend store; measured on a million lines of benchmarks/bill.py."""
BEDROCK_SHARE = 3
"""One line of so many is Bedrock's."""
REWRITTEN, FILLED = Decimal("1.5"), Decimal(2) / 3
"""Billing periods in a delivery: the open one, half of the time the one before as well; and how
full they are on average, as the open one is filled day by day."""

HALVES, FORECAST = 2, 1
"""Questions to Cost Explorer about a month: one for each seller; what the open one will come to."""
WORKERS = 30
"""Of Athena, which write an answer in so many files at most."""
LEDGER_FILES = 40
"""Objects in S3 that a close writes, and as many that it reads, at most."""
GETS_A_MB = 4
"""With which Athena itself reads what it scans: one for each column of a row group."""

QUERIES_A_VIEW = 8
"""What a page asks of a store in Athena, on average: Overview twice as much, most others less."""
COMPARING, MEANING = 3, 6
"""Questions in Athena when a month is read into it: what it holds, against the version before; and
what its lines mean, with the two tables that reports ask."""
ANSWERS_AS_FILES = 7
"""Of them, at most."""
STORE_REQUESTS = 30
"""Requests of S3 that write or list, and as many that read, besides: what a version is made of."""
STORE_VERSIONS = 5
"""How much of S3 a month takes, against its facts: two versions, and what their lines mean."""


@dataclass(frozen=True, slots=True)
class BillSize:
    """A billing period, in bytes."""

    delivered: int
    """In the export."""
    scanned: int
    """By Athena when it is read, as full as it is on average by then."""
    kept: int
    """In the spend store."""

    @classmethod
    def of_lines(cls, lines: int) -> BillSize:
        """The usual size of a period with so many CUR lines, of all services."""
        return cls(
            delivered=lines * BYTES_DELIVERED,
            scanned=int(lines * BYTES_SCANNED * FILLED),
            kept=lines * BYTES_KEPT // BEDROCK_SHARE,
        )


@dataclass(frozen=True, slots=True)
class Organisation:
    """A bill, and how often somebody looks at it."""

    name: str
    about: str
    """Its bill and its readers, in a few words."""
    bill: BillSize
    months: int
    """Billing periods in the export and in the store."""
    # In a calendar month.
    days: int
    """On which somebody looks."""
    month_end: int
    """Days on which the month before is looked at on Reconciliation or Close."""
    setups: int
    """Days on which Setup is looked at."""
    commands: int
    """Of the command line."""
    line_lists: int
    """Lists of single CUR lines."""
    # In a day on which somebody looks.
    hours: int
    """In which somebody does."""
    pages: int
    """Drawn: every click is one."""
    views: int
    """Pages that nobody has looked at since AWS wrote the bill last."""
    reconciled: int
    """Times that the open month is looked at on Reconciliation, eight hours apart."""
    deliveries: int = 3
    """Of the bill: AWS makes three at most."""
    rewritten: Decimal = REWRITTEN
    """Billing periods in a delivery."""
    answer_pages: int = 1
    """Of an answer of Cost Explorer."""
    workers: int = WORKERS
    is_ledger_in_s3: bool = True

    @property
    def found(self) -> int:
        """Deliveries that are found in a month."""
        return self.days * self.deliveries

    @property
    def readings(self) -> int:
        """Billing periods that are read in a month."""
        return int(self.found * self.rewritten)

    @property
    def looks(self) -> int:
        """How often Athena is asked whether the bill has changed.

        Once an hour in which somebody looks, by each command, and by Setup. A delivery that a page
        finds is looked at again before it is read.
        """
        return self.days * self.hours + self.commands + self.setups + self.found


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries of one kind in Athena."""

    what: str
    number: int
    bytes_each: int = 0

    @property
    def dollars(self) -> Decimal:
        """What they cost."""
        return self.number * price(self.bytes_each)


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of S3."""

    writes: int
    """That write or list."""
    reads: int

    def __add__(self, other: Requests) -> Requests:
        return Requests(self.writes + other.writes, self.reads + other.reads)

    def __mul__(self, times: int) -> Requests:
        return Requests(self.writes * times, self.reads * times)

    @property
    def dollars(self) -> Decimal:
        """What they cost."""
        return self.writes * PRICE_TO_WRITE + self.reads * PRICE_TO_READ


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of AWS in a month."""

    queries: tuple[Queries, ...]
    cost_explorer: int
    """Requests, each page of an answer one."""
    s3: Requests
    """By this program."""
    s3_by_athena: Requests
    """By Athena, on the same account."""
    kept: int
    """Bytes in S3."""

    @property
    def athena_dollars(self) -> Decimal:
        """What Athena costs in a month."""
        return sum((each.dollars for each in self.queries), ZERO)

    @property
    def cost_explorer_dollars(self) -> Decimal:
        """What Cost Explorer costs in a month."""
        return self.cost_explorer * PRICE

    @property
    def s3_dollars(self) -> Decimal:
        """What S3 costs in a month: requests, and what is kept."""
        requests = self.s3 + self.s3_by_athena
        return requests.dollars + PRICE_TO_KEEP * self.kept / GB


@dataclass(frozen=True, slots=True)
class Costs:
    """What somebody pays in a month, in US dollars."""

    name: str
    about: str
    athena: Decimal
    cost_explorer: Decimal
    s3: Decimal | None
    """None where it is not counted."""

    @property
    def total(self) -> Decimal:
        """What is known of all three."""
        return self.athena + self.cost_explorer + (self.s3 or ZERO)


def usual_costs(*, is_store_in_athena: bool) -> list[Costs]:
    """What three organisations of different size pay in a month."""
    return [
        _costs(of, asked_in_a_month(of, is_store_in_athena=is_store_in_athena))
        for of in ORGANISATIONS
    ]


def costs_here(workspace: Workspace, today: date) -> Costs | None:
    """What was counted on this machine in the month so far; None where nobody is charged."""
    if workspace.settings.is_demo:
        return None
    return Costs(
        name="This dashboard",
        about=f"{month_name(month_of(today))} so far",
        athena=workspace.athena_costs.of(month_of(today)).dollars,
        cost_explorer=workspace.cost_explorer.spent_this_month,
        s3=None,
    )


def _costs(of: Organisation, asked: Asked) -> Costs:
    return Costs(
        of.name, of.about, asked.athena_dollars, asked.cost_explorer_dollars, asked.s3_dollars
    )


def asked_in_a_month(of: Organisation, *, is_store_in_athena: bool) -> Asked:
    """What the program asks of AWS for an organisation, its spend store in Athena or on a disk."""
    store = _store_queries(of) if is_store_in_athena else ()
    queries = (*_reading_queries(of), *store)
    return Asked(
        queries=queries,
        cost_explorer=_explorer_requests(of),
        s3=_requests(of, is_store_in_athena=is_store_in_athena),
        s3_by_athena=_requests_by_athena(
            of, queries, of.readings * (ANSWERS_AS_FILES if is_store_in_athena else 1)
        ),
        kept=_kept(of, is_store_in_athena=is_store_in_athena),
    )


def _reading_queries(of: Organisation) -> Sequence[Queries]:
    """What finds out whether the bill has changed, and reads what has, wherever the store is."""
    for_products = of.bill.scanned // 3  # the map `product` is a third of what is scanned
    return (
        Queries("is the bill newer", of.looks),
        Queries("which columns it has", of.found + of.line_lists),
        Queries("which products are Bedrock", of.readings, for_products),
        Queries("daily spend of a month", of.readings, of.bill.scanned - for_products),
        Queries("single CUR lines", of.line_lists, 2 * of.bill.scanned),
    )


def _store_queries(of: Organisation) -> Sequence[Queries]:
    """What a store in Athena is asked besides."""
    return (
        Queries("what a new month holds", COMPARING * of.readings, of.bill.kept),
        Queries("what its lines mean", MEANING * of.readings, 2 * of.bill.kept),
        Queries("figures on pages", of.days * of.views * QUERIES_A_VIEW, of.bill.kept),
    )


def _explorer_requests(of: Organisation) -> int:
    """The open month's answers are kept for eight hours, all others for a day."""
    halves = HALVES * of.answer_pages
    each_day = of.reconciled * halves + (FORECAST if of.reconciled else 0)
    return of.days * each_day + of.month_end * halves + of.setups


def _requests(of: Organisation, *, is_store_in_athena: bool) -> Requests:
    # Of an answer its list of files, and of each file first its size.
    answer = Requests(writes=0, reads=1 + 2 * of.workers)
    # The two folders of a delivery, and its manifest, which Setup looks at as well.
    made = Requests(writes=2, reads=1) * (of.readings + of.setups) + answer * of.readings
    if of.is_ledger_in_s3:
        made += Requests(writes=1, reads=1) * (of.days * of.pages)
        made += Requests(writes=2, reads=4 + 2 * of.months) * (of.commands + of.setups)
        made += Requests(writes=LEDGER_FILES, reads=LEDGER_FILES)
    if is_store_in_athena:
        made += Requests(writes=2, reads=0) * (of.days * of.pages)
        made += Requests(writes=4, reads=0) * of.looks
        made += (answer * ANSWERS_AS_FILES + Requests(STORE_REQUESTS, STORE_REQUESTS)) * of.readings
        # Whoever uses a version says so when it is opened, and every half hour.
        made += Requests(writes=of.months, reads=2 * of.months) * of.found
        made += Requests(writes=2 * of.months, reads=0) * (of.days * of.hours)
    return made


def _requests_by_athena(of: Organisation, queries: Sequence[Queries], answers: int) -> Requests:
    """Athena lists folders, reads what it scans, and writes two objects a query and large answers.

    Args:
        of: the organisation.
        queries: all that are asked.
        answers: how many are written as files.
    """
    number = sum(each.number for each in queries)
    scanned = sum(each.number * each.bytes_each for each in queries)
    folders = Requests(writes=1, reads=1) * (of.looks * of.months)
    return folders + Requests(2 * number + answers * of.workers, scanned // MB * GETS_A_MB)


def _kept(of: Organisation, *, is_store_in_athena: bool) -> int:
    """The export, a week of Athena's answers; the closed months, the store."""
    kept = of.months * of.bill.delivered + of.readings * of.bill.kept * 7 // 30
    if of.is_ledger_in_s3:
        kept += 2 * of.months * of.bill.kept
    if is_store_in_athena:
        kept += STORE_VERSIONS * of.months * of.bill.kept
    return kept


SMALL = Organisation(
    name="Small",
    about="1 million lines a month, 3 people",
    bill=BillSize.of_lines(MILLION),
    months=14,
    days=22,
    month_end=5,
    setups=2,
    commands=10,
    line_lists=5,
    hours=4,
    pages=60,
    views=10,
    reconciled=1,
    is_ledger_in_s3=False,
)
MIDDLE = Organisation(
    name="Middle",
    about="10 million lines a month, 10 people",
    bill=BillSize.of_lines(10 * MILLION),
    months=14,
    days=22,
    month_end=10,
    setups=4,
    commands=40,
    line_lists=20,
    hours=10,
    pages=400,
    views=40,
    reconciled=2,
)
LARGE = Organisation(
    name="Large",
    about="100 million lines a month, 100 people around the clock",
    bill=BillSize.of_lines(100 * MILLION),
    months=14,
    days=30,
    month_end=30,
    setups=30,
    commands=200,
    line_lists=100,
    hours=24,
    pages=4000,
    views=200,
    reconciled=3,
    answer_pages=2,
)
ORGANISATIONS = (SMALL, MIDDLE, LARGE)
