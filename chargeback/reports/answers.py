"""Asks one state of the store, and remembers what it answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeVar

import pyarrow as pa

from chargeback import query
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Grain, Tables
from chargeback.errors import Problem, SourceProblem, UsageProblem
from chargeback.memory import Made, Memory
from chargeback.notices import Notice
from chargeback.reports.view import View
from chargeback.store.base import StoredPeriod
from chargeback.store.manifest import Manifest

T = TypeVar("T")

REMEMBERED = 400
"""How many things made of answers a state of the store remembers."""
REMEMBERED_BYTES = 128 * 2**20
"""How much of what statements came to: one of a year's page takes a few KiB, the largest 1 MiB."""


def memory() -> Memory:
    """For what statements come to."""
    return Memory(REMEMBERED_BYTES, _size_of)


def _size_of(table: pa.Table) -> int:
    """Bytes of an answer, its columns' descriptions included."""
    size: int = table.nbytes + 1024 * table.num_columns
    return size


@dataclass(frozen=True)
class Answers:
    """Answers over one state of the store. Read-only and safe to share between threads."""

    periods: Sequence[StoredPeriod]
    rules: Rules
    tables: Tables = field(repr=False, compare=False)
    bill_notices: tuple[Notice, ...] = ()
    """What is odd about the bill as a whole, whatever the month."""
    month_notices: Callable[[str], tuple[Notice, ...]] = field(
        default=lambda _: (), repr=False, compare=False
    )
    """Says what of a billing period's facts is not as the rules would have it; asked each time, as
    a month may be closed or reopened meanwhile."""
    answered: Memory = field(default_factory=memory, repr=False, compare=False)
    """What statements came to under these rules: of this state, and of others as far as they hold
    the same versions."""
    _made: Memory = field(
        default_factory=lambda: Memory(REMEMBERED), init=False, repr=False, compare=False
    )

    @property
    def months(self) -> list[str]:
        """The billing periods that can be shown, newest first."""
        stored = (period.manifest.billing_period for period in self.periods)
        return [month for month in stored if month not in self.problems]

    @property
    def problems(self) -> Mapping[str, SourceProblem]:
        """The billing periods that are in the store and can't be shown now, and why."""
        return self.tables.problems

    def period(self, month: str) -> StoredPeriod:
        """The month's version in the store. Raises UsageProblem if it isn't there."""
        if month in self.problems:
            raise self.problems[month]
        for period in self.periods:
            if period.manifest.billing_period == month:
                return period
        raise UsageProblem(
            f"There is no billing period {month} in the store.",
            todo=f"Choose one of {', '.join(self.months) or '(none yet)'}, or refresh.",
        )

    def manifest(self, month: str) -> Manifest:
        """Where the month's figures come from. Raises UsageProblem if it isn't there."""
        return self.period(month).manifest

    def bill(self, month: str) -> Bill:
        """What the month comes to, and on which basis. Raises UsageProblem if it isn't there."""
        self.period(month)
        return self.tables.bills[month]

    def ask(self, name: str, grain: Grain, view: View, **more: object) -> pa.Table:
        """The rows of queries/reports/NAME.sql for a view.

        Args:
            name: of the statement.
            grain: of the rows that it is asked of.
            view: gives the parameters of the step `scope`.
            more: the statement's own parameters.

        Raises:
            Problem: nothing was read yet.
            SourceProblem: the store can't be asked now.
        """
        if not self.months:
            raise next(
                iter(self.problems.values()),
                Problem("No billing period has been read yet.", "There is nothing to show."),
            )
        bound = tuple(_bound(name, view, more))
        # All that decides an answer. Among the parameters are the conditions of whoever looks, and
        # of the bill a statement reads the months of its view alone (queries/reports/scope.sql).
        versions = self._versions(view)

        def answer() -> pa.Table:
            found = self.tables.answer(name, grain, dict(bound))
            if self._versions(view) != versions:  # damaged meanwhile: this lacks a month
                raise next(iter(self.problems.values()))
            return found

        return self.answered.of((versions, name, grain, bound), answer)

    def _versions(self, view: View) -> tuple[str, ...]:
        """Of the months that a view is of: neither they nor an Arrow table ever change."""
        first = view.first_month or view.month
        return tuple(
            period.key
            for period in self.periods
            if first <= period.manifest.billing_period <= view.month
            and period.manifest.billing_period not in self.problems
        )

    def ask_by_each(
        self, name: str, grain: Grain, view: View, dimensions: Collection[str], **more: object
    ) -> dict[str, pa.Table]:
        """The same by each dimension, asked at once: most of the time is planning, or waiting."""
        asked = (
            partial(self.ask, name, grain, view, dimension=each, **more) for each in dimensions
        )
        return dict(zip(dimensions, at_once(*asked), strict=True))

    def made_once(self, make: Callable[..., Made], *of: Hashable) -> Made:
        """What `make` makes of these answers and of `of`, which is all that decides it; remembered.

        For what takes longer to work out than to ask for. Nobody may change what it gives.
        """
        return self._made.of((make, of), lambda: make(self, *of))

    def stream(self, name: str, grain: Grain, view: View, **more: object) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold; not remembered."""
        return self.tables.stream(name, grain, dict(_bound(name, view, more)))


def at_once(*works: Callable[[], T]) -> list[T]:
    """What each of these gives, done in threads: each spends most of its time in the engine."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(work) for work in works]]


def _bound(name: str, view: View, more: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    """What the statement takes of the view and of its own parameters."""
    takes = _parameters_of(name)
    for key, value in {**view.parameters(), **more}.items():
        if key in takes:
            yield key, tuple(value) if isinstance(value, list) else value


@lru_cache
def _parameters_of(name: str) -> set[str]:
    return query.parameters(query.load(f"reports/{name}"))
