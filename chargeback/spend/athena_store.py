"""The spend store of an organisation whose bills outgrow one machine: kept and asked in Athena."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.sources.athena import AthenaTable
from chargeback.sources.athena_parameters import bound
from chargeback.sources.cur2 import Source, SourcePeriod
from chargeback.spend.athena_catalog import MEANING, StoreTable
from chargeback.spend.athena_meaning import AthenaMeanings
from chargeback.spend.athena_objects import Held, StoreObjects
from chargeback.spend.athena_tables import AthenaTables
from chargeback.spend.athena_versions import Versions
from chargeback.spend.meaning import Rules
from chargeback.spend.shapes import shape_of
from chargeback.spend.store import SCHEMA_VERSION, Manifest, Store, manifest_of


class _Record(BaseModel):
    """What the store says of a month: one object, written when all that it speaks of is there."""

    model_config = ConfigDict(frozen=True)

    table: str
    version: str
    before: str | None
    """The version before, which stays for readers that are at work on it."""
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class AthenaPeriod:
    """One whole version of a billing period."""

    version: str
    manifest: Manifest

    @property
    def key(self) -> str:
        """The version's name, which no other version ever has."""
        return self.version


class AthenaStore(Store[AthenaPeriod]):
    """Tables in Athena over Parquet in S3, shared by every machine that is set up alike.

    `folder` holds the locks of this machine; of several machines that read a month at once the
    first to finish wins, and the others drop what they wrote.
    """

    def __init__(self, folder: Path, source: AthenaTable) -> None:
        super().__init__(folder)
        self._source = source
        tables = {kind: StoreTable(kind, source.settings) for kind in ("spend", *MEANING)}
        self._objects = StoreObjects(source.settings)
        self._versions = Versions(source.queries, self._objects, tables)
        self._meanings = AthenaMeanings(self._versions)

    def periods(self, source_id: str) -> list[AthenaPeriod]:
        """What was read from one bill, newest period first. Raises SourceProblem."""
        bodies = reversed(self._objects.all("periods/"))
        found = [period for body in bodies if (period := self._period(body))]
        return [period for period in found if period.manifest.source_id == source_id]

    def tables(self, periods: Sequence[AthenaPeriod], rules: Rules) -> AthenaTables:
        """What these periods mean under `rules`, worked out in Athena unless it is there already.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """

        def meaning_of(period: AthenaPeriod) -> tuple[str, str]:
            meaning = self._meanings.of(period.version, period.manifest, rules)
            return period.manifest.billing_period, meaning

        with ThreadPoolExecutor(self._source.parallel) as pool:
            meanings = dict(pool.map(meaning_of, periods))
        return AthenaTables(self._versions.queries, self._versions.tables, meanings)

    def _stored(self, billing_period: str) -> AthenaPeriod | None:
        held = self._objects.get(_name(billing_period))
        return self._period(held.body) if held else None

    def _replace(self, source: Source, period: SourcePeriod, stop: Event) -> bool:
        month, version, is_first = period.billing_period, uuid.uuid4().hex, False
        held = self._objects.get(_name(month))
        old = self._record(held)
        try:
            self._versions.create(["spend"])
            manifest = self._read(source, period, version, stop)
            record = _Record(
                table=self._versions.tables["spend"].name,
                version=version,
                before=old.version if old else None,
                manifest=manifest,
            )
            body = record.model_dump_json(indent=2).encode()
            is_first = self._objects.replace(_name(month), body, held)
        finally:
            if not is_first:  # it failed, or another machine was faster
                self._versions.drop(["spend"], month, version)
        if is_first and old and old.before:
            with suppress(SourceProblem):
                self._meanings.forget(month, old.before)
            self._versions.drop(["spend"], month, old.before)
        return is_first

    def _read(self, source: Source, period: SourcePeriod, version: str, stop: Event) -> Manifest:
        month, queries = period.billing_period, self._versions.queries
        extract = self._versions.extract(self._source, month, version, stop)
        rows = self._versions.tables["spend"].rows({month: version})
        statement = query.with_table(query.load("spend/contents"), "spend", rows)
        with queries.connected(stop) as connection:
            shape = shape_of("spend/contents")
            found = queries.table(connection, *bound(statement, {}), shape).to_pylist()
        return manifest_of(source, period, extract, found)

    def _period(self, body: bytes) -> AthenaPeriod | None:
        record = self._record(Held(body, ""))
        return AthenaPeriod(record.version, record.manifest) if record else None

    def _record(self, held: Held | None) -> _Record | None:
        """What is said of a month, unless it is of tables that this program doesn't read."""
        try:
            record = _Record.model_validate_json(held.body) if held else None
        except ValidationError:
            return None
        ours = (self._versions.tables["spend"].name, SCHEMA_VERSION)
        if record and (record.table, record.manifest.schema_version) == ours:
            return record
        return None


def _name(billing_period: str) -> str:
    return f"periods/{billing_period}.json"
