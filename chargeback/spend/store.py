"""The spend store: billing periods, each replaced whole, refreshed by one at a time."""

from __future__ import annotations

import os
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Generic, Literal, Protocol, TypeVar

import duckdb
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import query
from chargeback.errors import SourceProblem, UsageProblem
from chargeback.moments import UtcMoment
from chargeback.sources.cur2 import Extract, Source, SourcePeriod
from chargeback.spend.local_tables import LocalTables
from chargeback.spend.meaning import Rules
from chargeback.spend.tables import Tables

SCHEMA_VERSION = 2
"""Raised when what is kept of a bill changes, so that every month is read again."""
SPEND, MANIFEST = "spend.parquet", "manifest.json"

Progress = Callable[[str, int, int], None]
"""Called with a billing period, how many are done, and how many there are."""


class CurrencyTotal(BaseModel):
    """What the bill of a period comes to in one currency."""

    model_config = ConfigDict(frozen=True)

    currency: str
    unblended_total: Decimal
    net_total: Decimal


class Manifest(BaseModel):
    """Where the figures of one billing period come from."""

    model_config = ConfigDict(frozen=True)

    schema_version: int
    billing_period: str
    source: str
    source_id: str
    engine: str
    source_version: str
    query_ids: tuple[str, ...]
    bytes_scanned: int
    lines_read: int
    rows_kept: int
    totals: tuple[CurrencyTotal, ...]
    cost_basis: Literal["unblended", "net"]
    has_principals: bool
    not_invoiced: int
    newest_usage_date: date | None
    data_as_of: UtcMoment
    extracted_at: UtcMoment
    notices: tuple[str, ...]

    def is_final(self, today: date) -> bool:
        """Whether the month is over and AWS has issued an invoice for its every line."""
        over = self.billing_period < f"{today:%Y-%m}"
        return over and self.lines_read > 0 and self.not_invoiced == 0


class Period(Protocol):
    """One whole version of a billing period in a store."""

    @property
    def key(self) -> str:
        """Changes when anything of the period does."""

    @property
    def manifest(self) -> Manifest:
        """Where its figures come from."""


P = TypeVar("P", bound=Period)


class Store(ABC, Generic[P]):
    """Keeps what was read of a bill; `folder` is for what has to be on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def periods(self, source_id: str) -> list[P]:
        """What was read from one bill, newest period first."""

    @abstractmethod
    def tables(self, periods: Sequence[P], rules: Rules) -> Tables:
        """What reports ask of these periods under `rules`. Raises OwnerListError."""

    @abstractmethod
    def _stored(self, billing_period: str) -> P | None:
        """The period's current version, or None when there is none that this program can read."""

    @abstractmethod
    def _replace(self, source: Source, period: SourcePeriod, stop: Event) -> bool:
        """Reads the period anew and puts it in the place of what was there.

        Returns:
            False if somebody else has done so meanwhile, whose version stays.
        """

    def refresh(
        self, source: Source, periods: Sequence[SourcePeriod], progress: Progress | None = None
    ) -> list[str]:
        """Brings `periods` up to date; reads only those whose source has changed.

        As many at a time as the source allows; `progress` hears of them in order, from the
        caller's thread. Whatever it raises, like Ctrl-C, stops those that still run.

        Returns:
            The billing periods that were read.

        Raises:
            SourceProblem: one can't be read; all others are up to date, none is half written.
        """
        read, problems = [], []
        with closing(self._reading(source, periods)) as reading:
            for done, (period, is_read) in enumerate(reading):
                if progress:
                    progress(period.billing_period, done, len(periods))
                try:
                    if is_read():
                        read.append(period.billing_period)
                except SourceProblem as problem:
                    problems.append(problem)
        if problems:
            raise problems[0]
        return read

    def is_current(self, source: Source, period: SourcePeriod) -> bool:
        """Whether the store holds what the source holds."""
        stored = self._stored(period.billing_period)
        return (
            stored is not None
            and stored.manifest.source_id == source.source_id
            and stored.manifest.source_version == period.version
        )

    def _reading(
        self, source: Source, periods: Sequence[SourcePeriod]
    ) -> Generator[tuple[SourcePeriod, Callable[[], bool]], None, None]:
        """For each period what waits for it to be read; closing it stops what still runs."""
        stop = Event()
        if source.parallel == 1:  # in the caller's thread, where Ctrl-C interrupts DuckDB
            yield from ((p, partial(self._refresh_one, source, p, stop)) for p in periods)
            return
        pool = ThreadPoolExecutor(source.parallel)
        try:
            futures = [pool.submit(self._refresh_one, source, p, stop) for p in periods]
            yield from ((p, future.result) for p, future in zip(periods, futures, strict=True))
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _refresh_one(self, source: Source, period: SourcePeriod, stop: Event) -> bool:
        if self.is_current(source, period):
            return False
        self._prepare()
        lock = FileLock(self.folder / f".{period.billing_period}.lock")
        with lock.acquire(cancel_check=stop.is_set):
            if self.is_current(source, period):  # another process was faster
                return False
            return self._replace(source, period, stop)

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


@dataclass(frozen=True, slots=True)
class StoredPeriod:
    """One whole version of a billing period: its manifest and its files stay together."""

    folder: Path
    manifest: Manifest

    @property
    def key(self) -> str:
        """The version's folder, which no other version ever has."""
        return str(self.folder)

    @property
    def spend(self) -> Path:
        """The daily spend, as billed."""
        return self.folder / SPEND


class SpendStore(Store[StoredPeriod]):
    """Billing periods on disk, each a link to the folder of its current version."""

    def periods(self, source_id: str) -> list[StoredPeriod]:
        """What was read from one bill, newest period first."""
        links = sorted(self.folder.glob("billing_period=*"), reverse=True)
        stored = (self._held(link) for link in links)
        return [period for period in stored if period and period.manifest.source_id == source_id]

    def tables(self, periods: Sequence[StoredPeriod], rules: Rules) -> LocalTables:
        """What DuckDB answers from the files of these periods. Raises OwnerListError."""
        return LocalTables(periods, rules)

    def _stored(self, billing_period: str) -> StoredPeriod | None:
        return self._held(self._link(billing_period))

    def _replace(self, source: Source, period: SourcePeriod, stop: Event) -> bool:
        version = self.folder / "versions" / f"{period.billing_period}-{uuid.uuid4().hex[:12]}"
        version.mkdir(parents=True)
        try:
            extract = source.extract(period.billing_period, version / SPEND, stop)
            manifest = manifest_of(source, period, extract, _contents(version / SPEND))
            (version / MANIFEST).write_text(manifest.model_dump_json(indent=2), "utf-8")
            self._publish(version, period.billing_period)
        except BaseException:
            shutil.rmtree(version)
            raise
        return True

    def _publish(self, version: Path, billing_period: str) -> None:
        """Renames a link into place: a reader follows it to the old version or to the new one."""
        link = self._link(billing_period)
        before = link.resolve() if link.exists() else None
        beside = version.with_suffix(".link")
        beside.symlink_to(Path("versions") / version.name, target_is_directory=True)
        beside.replace(link)
        for old in (self.folder / "versions").glob(f"{billing_period}-*"):
            # The version before stays for readers that are at work on it.
            if old not in (version, before) and old.resolve() != version.resolve():
                shutil.rmtree(old, ignore_errors=True)

    def _link(self, billing_period: str) -> Path:
        return self.folder / f"billing_period={billing_period}"

    def _held(self, link: Path) -> StoredPeriod | None:
        folder = link.resolve()
        try:
            manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            return None
        return StoredPeriod(folder, manifest) if manifest.schema_version == SCHEMA_VERSION else None


def _contents(spend: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.read_parquet(str(spend)).create_view("spend")
        found: list[dict[str, Any]] = (
            connection.sql(query.duckdb_sql("spend/contents")).to_arrow_table().to_pylist()
        )
        return found


def manifest_of(
    source: Source, period: SourcePeriod, extract: Extract, found: Sequence[dict[str, Any]]
) -> Manifest:
    """What is said of a version: `found` are the rows of queries/spend/contents.sql."""
    discounts_are_lines = any(row["has_discount_lines"] for row in found)
    net_is_filled = any(row["has_net_costs"] for row in found)
    return Manifest(
        schema_version=SCHEMA_VERSION,
        billing_period=period.billing_period,
        source=source.name,
        source_id=source.source_id,
        engine=source.engine,
        source_version=period.version,
        query_ids=extract.query_ids,
        bytes_scanned=extract.bytes_scanned,
        lines_read=sum(row["lines_read"] for row in found),
        rows_kept=sum(row["rows_kept"] for row in found),
        totals=tuple(CurrencyTotal.model_validate(row) for row in found),
        cost_basis="net" if net_is_filled and not discounts_are_lines else "unblended",
        has_principals=any(row["has_principals"] for row in found),
        not_invoiced=sum(row["not_invoiced"] for row in found),
        newest_usage_date=max((row["newest_usage_date"] for row in found), default=None),
        data_as_of=period.data_as_of,
        extracted_at=datetime.now(UTC).replace(microsecond=0),
        notices=extract.notices,
    )
