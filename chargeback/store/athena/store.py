"""The spend store of an organisation whose bills outgrow one machine: kept and asked in Athena."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlglot import exp

from chargeback import query
from chargeback.aws.s3 import StoredObject
from chargeback.errors import SourceProblem
from chargeback.notices import Notice
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.base import Extract
from chargeback.sources.cur2 import result_schema
from chargeback.store.athena.catalog import ADDED, StoreTable
from chargeback.store.athena.leases import Lease, end_leases, is_leased
from chargeback.store.athena.objects import StoreObjects
from chargeback.store.athena.versions import Versions
from chargeback.store.base import Store
from chargeback.store.folding import BATCH, FOLDS, Folded, FoldedTotal, decide
from chargeback.store.manifest import (
    READABLE,
    Manifest,
    Reading,
    Refusal,
    manifest_of,
    refusal_of,
)

OLDER = 2
"""The newest schema version whose facts lie in a table of their own."""


class _Record(BaseModel):
    """What the store says of a month: one object, written when all that it speaks of is there."""

    model_config = ConfigDict(frozen=True)

    table: str
    version: str
    before: str | None
    """The version before, which stays for readers that have found it and not opened it yet."""
    older: tuple[str, ...] = ()
    """What came before that, as far as somebody held it when it was replaced."""
    manifest: Manifest

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions that are kept, the one in force first."""
        return (self.version, *([self.before] if self.before else []), *self.older)


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
        schema = result_schema("daily_spend")
        self._spend = StoreTable("spend", schema, source.settings)
        self._folds = StoreTable("folds", FOLDS, source.settings)
        self._older_spend = StoreTable("spend", schema, source.settings, lacks=ADDED)
        self.objects = StoreObjects(source.settings)
        self.versions = Versions(source.queries, self.objects)

    @property
    def settings(self) -> AthenaSettings:
        """Where its tables lie."""
        return self._source.settings

    @property
    def parallel(self) -> int:
        """How many periods may be worked on at a time."""
        return self._source.parallel

    def periods(self, source_id: str) -> list[AthenaPeriod]:
        """What was read from one bill, newest period first. Raises SourceProblem."""
        refusals = {r.billing_period: r.refusal for r in self._refusals()}
        bodies = reversed(self.objects.all("periods/"))
        found = [self._period(body, refusals) for body in bodies]
        return [p for p in found if p and p.manifest.source_id == source_id]

    def hold(self, period: AthenaPeriod) -> Lease:
        """Keeps a version, for an hour unless it is renewed."""
        return Lease(self.objects, period.version)

    def facts(self, period: AthenaPeriod) -> exp.Subquery:
        """What stands for the facts of a period in a statement."""
        return self._facts(period.manifest.billing_period, period.version, period.manifest)

    def versions_kept(self) -> set[str]:
        """The versions that are not deleted. Raises SourceProblem."""
        records = (self._record(StoredObject(body, "")) for body in self.objects.all("periods/"))
        return {version for record in records if record for version in record.versions}

    def _copy_facts(self, period: AthenaPeriod, file: Path) -> None:
        self.versions.copy(self.facts(period), self._spend.schema, file)

    def _stored(self, billing_period: str) -> AthenaPeriod | None:
        found = self.objects.get(_name(billing_period))
        refusals = {r.billing_period: r.refusal for r in self._refusals(billing_period)}
        return self._period(found.body, refusals) if found else None

    def _replace(self, reading: Reading, stop: Event) -> bool:
        month, version, is_first = reading.period.billing_period, uuid.uuid4().hex, False
        found = self.objects.get(_name(month))
        old = self._record(found)
        try:
            self.versions.create(self._spend)
            extract = self._extract(reading, version, stop)
            less = self._compared(reading, old, version)
            if reading.is_refused(less):
                self._refuse(month, refusal_of(reading.period, less))
                return False
            version, folded = self._fold(reading, version)
            manifest = manifest_of(reading, extract, self._contents(month, version), less, folded)
            older, unused = self._older(old)
            record = _Record(
                table=self._spend.name,
                version=version,
                before=old.version if old else None,
                older=older,
                manifest=manifest,
            )
            body = record.model_dump_json(indent=2).encode()
            is_first = self.objects.replace(_name(month), body, found)
        finally:
            if not is_first:  # it failed, is not taken, or another machine was faster
                self.versions.drop(month, version, self._spend)
        if is_first:
            self._refuse(month, None)
            for each in unused:
                self._delete(month, each)
        return is_first

    def _older(self, old: _Record | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of what came before the version that is replaced: what somebody holds, and the rest."""
        older = old.versions[1:] if old else ()
        leased = tuple(version for version in older if is_leased(self.objects, version))
        return leased, tuple(version for version in older if version not in leased)

    def _delete(self, month: str, version: str) -> None:
        self.versions.drop(month, version, self._spend)
        with suppress(SourceProblem):
            end_leases(self.objects, version)

    def _extract(self, reading: Reading, version: str, stop: Event) -> Extract:
        """Writes what the CUR 2.0 table holds of a month as a version of `spend`."""
        month = reading.period.billing_period
        return self._source.insert(
            month, lambda rows: self._spend.insert(rows, month, version), reading.known, stop
        )

    def _fold(self, reading: Reading, version: str) -> tuple[str, Folded | None]:
        """Keeps sessions of a version's facts as one that nothing tells apart, in a version anew.

        Returns:
            The version that is left, and what of it is kept as one.
        """
        folding, above, month = reading.folding, reading.above, reading.period.billing_period
        if folding is None or above is None:
            return version, None
        spend = self._spend.rows({month: version})
        asked = {"above": above, **folding.parameters}
        found = self.versions.download("store/sessions", asked, spend=spend)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "folds.parquet"
            sessions = folding.sessions(found.to_batches(max_chunksize=BATCH))
            principals = decide(sessions, above, file)
            folds = parquet.read_table(file).cast(FOLDS)
        if not principals:
            return version, Folded(above=above)
        kept = uuid.uuid4().hex
        try:
            totals = self._write_folded(month, version, kept, folds)
        except BaseException:
            self.versions.drop(month, kept, self._spend)
            raise
        finally:
            self.versions.drop(month, kept, self._folds)
        self.versions.drop(month, version, self._spend)
        return kept, Folded(
            above=above,
            totals=totals,
            principals=principals,
            session_rules=folding.session_rules(principals),
        )

    def _write_folded(
        self, month: str, version: str, kept: str, folds: pa.Table
    ) -> tuple[FoldedTotal, ...]:
        """Writes the facts of a version as another, with sessions kept as one; what these are."""
        self.versions.create(self._folds)
        self.versions.upload(self._folds, folds, month, kept)
        relations = {
            "spend": self._spend.rows({month: version}),
            "session_folds": self._folds.rows({month: kept}),
        }
        statement = query.load("store/folded")
        for relation, rows in relations.items():
            statement = query.with_table(statement, relation, rows)
        self.versions.insert(self._spend, statement, {}, month, kept)
        relations["kept"] = self._spend.rows({month: kept})
        found = self.versions.download(
            "store/folded_totals", {}, {"session_folds": FOLDS}, **relations
        ).sort_by("currency")
        return tuple(FoldedTotal(**row) for row in found.to_pylist())

    def _contents(self, month: str, version: str) -> list[dict[str, Any]]:
        facts = self._spend.rows({month: version})
        found = self.versions.download("store/contents", {}, spend=facts)
        order = [(name, "ascending") for name in ("payer_account_id", "product_code", "currency")]
        rows: list[dict[str, Any]] = found.sort_by(order).to_pylist()
        return rows

    def _compared(self, reading: Reading, old: _Record | None, version: str) -> tuple[Notice, ...]:
        """What is less than in the version in force."""
        if old is None or old.manifest.source_id != reading.source.source_id:
            return ()
        month = reading.period.billing_period
        before = self._facts(month, old.version, old.manifest)
        now = self._spend.rows({month: version})
        kept, found = (
            self.versions.download("store/usage_by_tags", {}, spend=rows, in_force=before)
            for rows in (before, now)
        )
        return reading.less(kept.to_pylist(), found.to_pylist())

    def _facts(self, month: str, version: str, manifest: Manifest) -> exp.Subquery:
        return self._table_of(manifest).rows({month: version})

    def _table_of(self, manifest: Manifest) -> StoreTable:
        """The table that holds facts of the manifest's schema version."""
        return self._spend if manifest.schema_version > OLDER else self._older_spend

    def _refuse(self, billing_period: str, refusal: Refusal | None) -> None:
        name = f"refused/{billing_period}.json"
        if refusal is None:
            self.objects.delete(name)
            return
        body = _Refused(billing_period=billing_period, refusal=refusal).model_dump_json()
        self.objects.put(name, body.encode())

    def _refusals(self, billing_period: str = "") -> Iterator[_Refused]:
        for body in self.objects.all(f"refused/{billing_period}"):
            with suppress(ValidationError):
                yield _Refused.model_validate_json(body)

    def _remove(self, billing_period: str) -> None:
        self.objects.delete(_name(billing_period))

    def _period(self, body: bytes, refusals: Mapping[str, Refusal]) -> AthenaPeriod | None:
        record = self._record(StoredObject(body, ""))
        if record is None:
            return None
        refusal = refusals.get(record.manifest.billing_period)
        return AthenaPeriod(record.version, record.manifest, refusal)

    def _record(self, found: StoredObject | None) -> _Record | None:
        """What is said of a month, unless it is of tables that this program doesn't read."""
        try:
            record = _Record.model_validate_json(found.body) if found else None
        except ValidationError:
            return None
        if record is None or record.manifest.schema_version not in READABLE:
            return None
        return record if record.table == self._table_of(record.manifest).name else None


def _name(billing_period: str) -> str:
    return f"periods/{billing_period}.json"
