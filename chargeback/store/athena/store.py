"""The spend store of an organisation whose bills outgrow one machine: kept and asked in Athena."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback.enrichment.athena import AthenaMeaning, AthenaMeanings
from chargeback.enrichment.athena_tables import AthenaTables
from chargeback.enrichment.local import Rules
from chargeback.errors import SourceProblem
from chargeback.notices import Notice
from chargeback.sources.athena.table import AthenaTable
from chargeback.store.athena.catalog import ADDED, MEANING, StoreTable
from chargeback.store.athena.objects import Held, StoreObjects
from chargeback.store.athena.versions import Versions
from chargeback.store.base import Store
from chargeback.store.manifest import (
    READABLE,
    SCHEMA_VERSION,
    Manifest,
    Reading,
    Refusal,
    manifest_of,
    refusal_of,
)


class _Record(BaseModel):
    """What the store says of a month: one object, written when all that it speaks of is there."""

    model_config = ConfigDict(frozen=True)

    table: str
    version: str
    before: str | None
    """The version before, which stays for readers that are at work on it."""
    manifest: Manifest


class _Refused(BaseModel):
    """A delivery of a month that was not taken."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class AthenaPeriod:
    """One whole version of a billing period."""

    version: str
    manifest: Manifest
    refusal: Refusal | None = None

    @property
    def key(self) -> str:
        """The version's name, which no other version ever has, and what was not taken."""
        return f"{self.version} {self.refusal.source_version if self.refusal else ''}"


class AthenaStore(Store[AthenaPeriod]):
    """Tables in Athena over Parquet in S3, shared by every machine that is set up alike.

    `folder` holds the locks of this machine; of several machines that read a month at once the
    first to finish wins, and the others drop what they wrote.
    """

    def __init__(self, folder: Path, source: AthenaTable) -> None:
        super().__init__(folder)
        self._source = source
        tables = {kind: StoreTable(kind, source.settings) for kind in ("spend", *MEANING)}
        tables["spend 2"] = StoreTable("spend", source.settings, lacks=ADDED)
        self._objects = StoreObjects(source.settings)
        self._versions = Versions(source.queries, self._objects, tables)
        self._meanings = AthenaMeanings(self._versions)

    def periods(self, source_id: str) -> list[AthenaPeriod]:
        """What was read from one bill, newest period first. Raises SourceProblem."""
        refusals = {r.billing_period: r.refusal for r in self._refusals()}
        bodies = reversed(self._objects.all("periods/"))
        found = [self._period(body, refusals) for body in bodies]
        return [p for p in found if p and p.manifest.source_id == source_id]

    def tables(self, periods: Sequence[AthenaPeriod], rules: Rules) -> AthenaTables:
        """What these periods mean under `rules`, worked out in Athena unless it is there already.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """

        def meaning_of(period: AthenaPeriod) -> tuple[str, AthenaMeaning]:
            meaning = self._meanings.of(period.version, period.manifest, rules)
            return period.manifest.billing_period, meaning

        with ThreadPoolExecutor(self._source.parallel) as pool:
            meanings = dict(pool.map(meaning_of, periods))
        return AthenaTables(self._versions.queries, self._versions.tables, meanings)

    def _stored(self, billing_period: str) -> AthenaPeriod | None:
        held = self._objects.get(_name(billing_period))
        refusals = {r.billing_period: r.refusal for r in self._refusals(billing_period)}
        return self._period(held.body, refusals) if held else None

    def _replace(self, reading: Reading, stop: Event) -> bool:
        month, version, is_first = reading.period.billing_period, uuid.uuid4().hex, False
        held = self._objects.get(_name(month))
        old = self._record(held)
        try:
            self._versions.create(["spend"])
            extract = self._versions.extract(reading, self._source, version, stop)
            less = self._compared(reading, old, version)
            if reading.is_refused(less):
                self._refuse(month, refusal_of(reading.period, less))
                return False
            record = _Record(
                table=self._versions.tables["spend"].name,
                version=version,
                before=old.version if old else None,
                manifest=manifest_of(reading, extract, self._contents(month, version), less),
            )
            body = record.model_dump_json(indent=2).encode()
            is_first = self._objects.replace(_name(month), body, held)
        finally:
            if not is_first:  # it failed, is not taken, or another machine was faster
                self._versions.drop(["spend"], month, version)
        if is_first:
            self._refuse(month, None)
            self._forget(month, old)
        return is_first

    def _forget(self, month: str, old: _Record | None) -> None:
        if old and old.before:
            with suppress(SourceProblem):
                self._meanings.forget(month, old.before)
            self._versions.drop(["spend"], month, old.before)

    def _contents(self, month: str, version: str) -> list[dict[str, Any]]:
        facts = self._versions.spend(SCHEMA_VERSION).rows({month: version})
        found = self._versions.download("spend/contents", {}, spend=facts)
        order = [(name, "ascending") for name in ("payer_account_id", "product_code", "currency")]
        rows: list[dict[str, Any]] = found.sort_by(order).to_pylist()
        return rows

    def _compared(self, reading: Reading, old: _Record | None, version: str) -> tuple[Notice, ...]:
        """What is less than in the version in force."""
        if old is None or old.manifest.source_id != reading.source.source_id:
            return ()
        month = reading.period.billing_period
        before = self._versions.spend(old.manifest.schema_version).rows({month: old.version})
        now = self._versions.spend(SCHEMA_VERSION).rows({month: version})
        kept, found = (
            self._versions.download("spend/usage_by_tags", {}, spend=rows, in_force=before)
            for rows in (before, now)
        )
        return reading.judge(kept.to_pylist(), found.to_pylist())

    def _refuse(self, billing_period: str, refusal: Refusal | None) -> None:
        name = f"refused/{billing_period}.json"
        if refusal is None:
            self._objects.delete(name)
            return
        body = _Refused(billing_period=billing_period, refusal=refusal).model_dump_json()
        self._objects.put(name, body.encode())

    def _refusals(self, billing_period: str = "") -> Iterator[_Refused]:
        for body in self._objects.all(f"refused/{billing_period}"):
            with suppress(ValidationError):
                yield _Refused.model_validate_json(body)

    def _remove(self, billing_period: str) -> None:
        self._objects.delete(_name(billing_period))

    def _period(self, body: bytes, refusals: Mapping[str, Refusal]) -> AthenaPeriod | None:
        record = self._record(Held(body, ""))
        if record is None:
            return None
        refusal = refusals.get(record.manifest.billing_period)
        return AthenaPeriod(record.version, record.manifest, refusal)

    def _record(self, held: Held | None) -> _Record | None:
        """What is said of a month, unless it is of tables that this program doesn't read."""
        try:
            record = _Record.model_validate_json(held.body) if held else None
        except ValidationError:
            return None
        if record is None or record.manifest.schema_version not in READABLE:
            return None
        table = self._versions.spend(record.manifest.schema_version)
        return record if record.table == table.name else None


def _name(billing_period: str) -> str:
    return f"periods/{billing_period}.json"
