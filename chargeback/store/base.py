"""The spend store: billing periods, each replaced whole, refreshed by one at a time."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Generic, Protocol, TypeVar

import duckdb
from filelock import FileLock

from chargeback.errors import SourceProblem, UsageProblem
from chargeback.sources.base import Source, SourcePeriod, StoreKnowledge
from chargeback.store.folding import Folding
from chargeback.store.manifest import (
    GONE,
    SCHEMA_VERSION,
    Acceptance,
    Compare,
    Manifest,
    Reading,
    Refusal,
    gone,
)

Progress = Callable[[str, int, int], None]
"""Called with a billing period, how many are done, and how many there are."""


class StoredPeriod(Protocol):
    """One whole version of a billing period in a store."""

    @property
    def key(self) -> str:
        """Changes when anything of the period does."""

    @property
    def manifest(self) -> Manifest:
        """Where its figures come from."""

    @property
    def refusal(self) -> Refusal | None:
        """The newer delivery that was not taken, if there is one."""


class Hold(Protocol):
    """Somebody's use of a version of a billing period."""

    def release(self) -> None:
        """Lets the version go."""


P = TypeVar("P", bound=StoredPeriod)


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a store is brought up to date."""

    compare: Compare
    """What says that a delivery holds less than the version in force."""
    older: bool = True
    """Whether months are read anew that an earlier version of the program read, or of which other
    sessions are kept as one now."""
    accept: tuple[str, Acceptance] | None = None
    """A billing period whose delivery is taken though it holds less, and by whom."""
    folding: Folding | None = None
    """Which sessions are kept as one; None for each as billed, and for months that are folded as
    they are."""

    def accepted(self, month: str) -> Acceptance | None:
        """By whom the delivery of a month is accepted, if it is."""
        return self.accept[1] if self.accept and self.accept[0] == month else None


class Store(ABC, Generic[P]):
    """Keeps what was read of a bill; `folder` is for what has to be on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def periods(self, source_id: str) -> list[P]:
        """What was read from one bill, newest period first."""

    @abstractmethod
    def hold(self, period: P) -> Hold:
        """Keeps a version from being deleted, whatever replaces it, until it is released.

        A holder that is gone, because it was killed or its machine is, holds nothing for long.
        """

    def copy_facts(self, period: P, file: Path) -> None:
        """Writes the facts of a version, as billed, into a Parquet file.

        Its columns are those of queries/cur/daily_spend.sql, as far as the version has them.

        Raises:
            SourceProblem: they can't be read, or are not as they were written.
            OSError: the file can't be written.
        """
        hold = self.hold(period)
        try:
            self._copy_facts(period, file)
        finally:
            hold.release()

    @abstractmethod
    def _copy_facts(self, period: P, file: Path) -> None:
        """Writes the facts of a version that is held into a file."""

    @abstractmethod
    def _stored(self, billing_period: str) -> P | None:
        """The period's current version, or None when there is none that this program can read."""

    @abstractmethod
    def _replace(self, reading: Reading, stop: Event) -> bool:
        """Reads the period anew and puts it in the place of what was there.

        Returns:
            False if it is not taken, or if somebody else has done so meanwhile, whose version
            stays.
        """

    @abstractmethod
    def _refuse(self, billing_period: str, refusal: Refusal | None) -> None:
        """Remembers what was not taken; None forgets it."""

    @abstractmethod
    def _remove(self, billing_period: str) -> None:
        """Takes a period from view."""

    def _is_damaged(self, stored: P) -> bool:
        return False

    def refresh(
        self,
        source: Source,
        periods: Sequence[SourcePeriod],
        how: Refresh,
        progress: Progress | None = None,
    ) -> list[str]:
        """Brings `periods` up to date; reads only those whose source has changed.

        As many at a time as the source allows; `progress` hears of them in order, from the
        caller's thread. Whatever it raises, like Ctrl-C, stops those that still run.

        Args:
            source: the bill.
            periods: of the source.
            how: what a delivery is judged by.
            progress: hears of each period.

        Returns:
            The billing periods that were read.

        Raises:
            SourceProblem: one can't be read; all others are up to date, none is half written.
        """
        read: list[str] = []
        problems: list[SourceProblem] = []
        waiting = list(periods)
        while waiting:
            with closing(self._reading(source, waiting, how)) as reading:
                for done, (period, is_read) in enumerate(reading):
                    if progress:
                        progress(period.billing_period, done, len(waiting))
                    try:
                        if is_read():
                            read.append(period.billing_period)
                    except SourceProblem as problem:
                        problems.append(problem)
            # What was read may say whose lines others had to leave out.
            waiting = [
                period
                for period in waiting
                if period.billing_period in read
                and self._explained_since(self._stored(period.billing_period))
            ]
        if problems:
            raise problems[0]
        return list(dict.fromkeys(read))

    def is_current(self, source: Source, period: SourcePeriod, how: Refresh) -> bool:
        """Whether the store holds what the source holds, or has looked at it and kept its own.

        Args:
            source: the bill.
            period: of the source.
            how: says which months are out of date though the source has not changed.
        """
        return self._is_current(self._stored(period.billing_period), source, period, how)

    def behind(
        self, source: Source, periods: Iterable[SourcePeriod], how: Refresh
    ) -> list[SourcePeriod]:
        """Which of a source's periods are not current, as `is_current` has it."""
        stored = {p.manifest.billing_period: p for p in self.periods(source.source_id)}
        return [
            period
            for period in periods
            if not self._is_current(stored.get(period.billing_period), source, period, how)
        ]

    def _is_current(
        self, stored: P | None, source: Source, period: SourcePeriod, how: Refresh
    ) -> bool:
        if stored is None or stored.manifest.source_id != source.source_id:
            return False
        if self._is_damaged(stored) or self._explained_since(stored):
            return False
        if how.older and stored.manifest.schema_version < SCHEMA_VERSION:
            return False
        refused = stored.refusal.source_version if stored.refusal else None
        if period.version == refused:  # what its facts were read from is no longer there
            return True
        if (
            how.older
            and how.folding
            and how.folding.is_outdated(period.billing_period, stored.manifest.folded)
        ):
            return False
        return period.version == stored.manifest.source_version

    def note_gone(self, source_id: str, months: Iterable[str]) -> None:
        """Remembers which stored periods the bill, which holds `months`, no longer has."""
        held = set(months)
        for period in self.periods(source_id):
            month, refusal = period.manifest.billing_period, period.refusal
            is_noted = refusal is not None and refusal.source_version == GONE
            if (month not in held) != is_noted:
                self._refuse(month, None if is_noted else gone(period.manifest))

    def accept_gone(self, source_id: str, month: str) -> None:
        """Takes a period from view that the bill no longer holds.

        Raises:
            UsageProblem: it is not gone.
        """
        found = {period.manifest.billing_period: period for period in self.periods(source_id)}
        refusal = found[month].refusal if month in found else None
        if refusal is None or refusal.source_version != GONE:
            raise nothing_to_accept(month)
        self._remove(month)
        self._refuse(month, None)

    def refused(self, billing_period: str) -> Refusal | None:
        """The delivery of a month that was not taken, if there is one."""
        stored = self._stored(billing_period)
        return stored.refusal if stored else None

    def _explained_since(self, stored: P | None) -> bool:
        """Whether another month shows products to be Bedrock whose lines were left out here."""
        if stored is None or not stored.manifest.unexplained:
            return False
        known = self._known(stored.manifest.source_id, stored.manifest.billing_period)
        return bool(known.products.intersection(stored.manifest.unexplained))

    def _known(self, source_id: str, month: str) -> StoreKnowledge:
        """What the other months, and the last version of this one, say about how to read it."""
        manifests = [period.manifest for period in self.periods(source_id)]
        return StoreKnowledge(
            products=frozenset(
                product
                for manifest in manifests
                if manifest.billing_period != month
                for product in manifest.products
            ),
            exports=next((m.exports for m in manifests if m.billing_period == month), ()),
        )

    def _reading(
        self, source: Source, periods: Sequence[SourcePeriod], how: Refresh
    ) -> Generator[tuple[SourcePeriod, Callable[[], bool]], None, None]:
        """For each period what waits for it to be read; closing it stops what still runs."""
        stop = Event()
        work = partial(self._refresh_one, source, how, stop)
        if source.parallel == 1:  # in the caller's thread, where Ctrl-C interrupts DuckDB
            yield from ((p, partial(work, p)) for p in periods)
            return
        pool = ThreadPoolExecutor(source.parallel)
        try:
            futures = [pool.submit(work, p) for p in periods]
            yield from ((p, future.result) for p, future in zip(periods, futures, strict=True))
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _refresh_one(self, source: Source, how: Refresh, stop: Event, period: SourcePeriod) -> bool:
        month, accepted = period.billing_period, how.accepted(period.billing_period)
        if accepted is None and self.is_current(source, period, how):
            return False
        self._prepare()
        with self._locked(month, stop):
            if accepted is None and self.is_current(source, period, how):
                return False  # another process was faster
            reading = Reading(
                source,
                period,
                how.compare,
                self._known(source.source_id, month),
                self._agreed(period, accepted),
                how.folding,
            )
            return self._replace(reading, stop)

    def _agreed(self, period: SourcePeriod, accepted: Acceptance | None) -> Acceptance | None:
        """The acceptance, if it is of this delivery: one that came since is looked at anew."""
        if accepted is None:
            return None
        refusal = self.refused(period.billing_period)
        if refusal is None:
            raise nothing_to_accept(period.billing_period)
        return accepted if refusal.source_version == period.version else None

    @contextmanager
    def _locked(self, month: str, stop: Event) -> Iterator[None]:
        try:
            lock = FileLock(self.folder / f".{month}.lock")
            with lock.acquire(cancel_check=stop.is_set):
                yield
        except (OSError, duckdb.Error) as error:
            why = (isinstance(error, OSError) and error.strerror) or "its files can't be read back"
            raise SourceProblem(
                f"{month} can't be brought up to date in the spend store: {why}.",
                "Figures read earlier stay as they were.",
                "Check the free space, and that this user may write everything in the folder.",
            ) from error

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise UsageProblem(
                f"The spend store's folder can't be written: {error.strerror}.",
                "Nothing new can be read; figures read earlier stay as they were.",
                "Check CHARGEBACK_STORE and the permissions of the folder.",
            ) from error


def nothing_to_accept(month: str) -> UsageProblem:
    """There is no delivery of a month that was not taken."""
    return UsageProblem(
        f"No delivery of {month} is waiting to be accepted.",
        todo="A refresh tells which months hold less than before.",
    )
