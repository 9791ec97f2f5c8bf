"""The spend store on disk: a folder for each version of a billing period, a link to the current."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
from pyarrow import ArrowInvalid, parquet
from pydantic import ValidationError

from chargeback import database, query
from chargeback.errors import SourceProblem
from chargeback.files.atomic import flush, sha256_of, write_whole
from chargeback.files.holds import FolderHold, delete_unless_held
from chargeback.notices import Notice
from chargeback.sources.cur2 import result_schema
from chargeback.store.base import Store
from chargeback.store.folding import BATCH, Folded, FoldedTotal, decide
from chargeback.store.manifest import READABLE, Manifest, Reading, Refusal, manifest_of, refusal_of

SPEND, MANIFEST, DAMAGED = "spend.parquet", "manifest.json", "damaged"


class DamagedFacts(SourceProblem):
    """What is kept of a month can't be read any more; the bill has to be read anew."""


@dataclass(frozen=True, slots=True)
class LocalPeriod:
    """One whole version of a billing period: its manifest and its files stay together."""

    folder: Path
    manifest: Manifest
    refusal: Refusal | None = None

    @property
    def key(self) -> str:
        """The version's folder, which no other version ever has, and what was not taken."""
        refused = self.refusal.model_dump_json() if self.refusal else ""
        return f"{self.folder} {hashlib.sha256(refused.encode()).hexdigest()[:8]}"

    @property
    def spend(self) -> Path:
        """The daily spend, as billed."""
        return self.folder / SPEND

    def is_whole(self) -> bool:
        """Whether the facts are as they were written, to the last byte."""
        return _is_whole(self.spend, self.manifest.spend_sha256)

    def damaged(self) -> DamagedFacts:
        """Has the next refresh read the period anew; the problem that says so."""
        with suppress(OSError):
            (self.folder / DAMAGED).touch()
        return DamagedFacts(
            f"What the spend store keeps of {self.manifest.billing_period} is damaged.",
            "That month can't be shown; all others can.",
            "It is read from the bill again with the next refresh.",
        )


class LocalStore(Store[LocalPeriod]):
    """Billing periods on disk, each a link to the folder of its current version."""

    def periods(self, source_id: str) -> list[LocalPeriod]:
        """What was read from one bill, newest period first."""
        links = sorted(self.folder.glob("billing_period=*"), reverse=True)
        stored = (self._held(link) for link in links)
        return [period for period in stored if period and period.manifest.source_id == source_id]

    def hold(self, period: LocalPeriod) -> FolderHold:
        """Keeps a version's folder; the operating system lets go of it for a killed holder."""
        return FolderHold(period.folder)

    def _copy_facts(self, period: LocalPeriod, file: Path) -> None:
        if not period.spend.is_file():
            raise period.damaged()
        shutil.copyfile(period.spend, file)
        if not _is_whole(file, period.manifest.spend_sha256):
            raise period.damaged()

    def _stored(self, billing_period: str) -> LocalPeriod | None:
        return self._held(self._link(billing_period))

    def _is_damaged(self, stored: LocalPeriod) -> bool:
        return not stored.spend.is_file() or (stored.folder / DAMAGED).exists()

    def _replace(self, reading: Reading, stop: Event) -> bool:
        month = reading.period.billing_period
        version = self.folder / "versions" / f"{month}-{uuid.uuid4().hex[:12]}"
        version.mkdir(parents=True)
        try:
            extract = reading.source.extract(month, version / SPEND, reading.known, stop)
            less = self._compared(reading, version / SPEND)
            if reading.is_refused(less):
                shutil.rmtree(version)
                self._refuse(month, refusal_of(reading.period, less))
                return False
            folded = _fold(reading, version)
            manifest = manifest_of(reading, extract, _contents(version / SPEND), less, folded)
            manifest = manifest.model_copy(update={"spend_sha256": sha256_of(version / SPEND)})
            (version / MANIFEST).write_text(manifest.model_dump_json(indent=2), "utf-8")
            self._publish(version, month)
        except BaseException:
            shutil.rmtree(version, ignore_errors=True)
            raise
        self._refuse(month, None)
        return True

    def _compared(self, reading: Reading, spend: Path) -> tuple[Notice, ...]:
        """What is less than in the version in force; nothing can be told of a damaged one."""
        stored = self._stored(reading.period.billing_period)
        if stored is None or stored.manifest.source_id != reading.source.source_id:
            return ()
        try:
            before = _usage_by_tags(stored.spend, stored.spend)
        except duckdb.Error:
            return ()
        return reading.less(before, _usage_by_tags(spend, stored.spend))

    def _publish(self, version: Path, billing_period: str) -> None:
        """Renames a link into place: a reader follows it to the old version or to the new one."""
        link = self._link(billing_period)
        before = link.resolve() if link.exists() else None
        draft = version.with_suffix(".link")
        draft.symlink_to(Path("versions") / version.name, target_is_directory=True)
        for path in (version / SPEND, version / MANIFEST, version, version.parent):
            flush(path)
        if link.is_dir() and not link.is_symlink():  # a copy of a store that lost its links
            before = version.with_name(f"{billing_period}-copied-{uuid.uuid4().hex[:12]}")
            link.rename(before)
        draft.replace(link)
        flush(self.folder)
        self._forget(billing_period, {version.resolve(), before})

    def _forget(self, billing_period: str, kept: set[Path | None]) -> None:
        """Deletes older versions, and what killed processes left, unless a reader holds them.

        The version before stays for readers that have found it and not opened it yet.
        """
        for old in (self.folder / "versions").glob(f"{billing_period}-*"):
            if old.suffix == ".link":
                old.unlink(missing_ok=True)
            elif old.resolve() not in kept:
                delete_unless_held(old)

    def _refuse(self, billing_period: str, refusal: Refusal | None) -> None:
        file = self._refused_file(billing_period)
        if refusal is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(exist_ok=True)
        write_whole(file, refusal.model_dump_json(indent=2).encode())

    def _remove(self, billing_period: str) -> None:
        link = self._link(billing_period)
        if link.is_symlink():
            link.unlink()
        else:
            link.rename(self.folder / "versions" / f"{billing_period}-{uuid.uuid4().hex[:12]}")

    def _refused_file(self, billing_period: str) -> Path:
        return self.folder / "refused" / f"{billing_period}.json"

    def _link(self, billing_period: str) -> Path:
        return self.folder / f"billing_period={billing_period}"

    def _held(self, link: Path) -> LocalPeriod | None:
        month = link.name.partition("=")[2]
        try:
            folder = link.resolve()
            manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            return None
        if manifest.schema_version not in READABLE or manifest.billing_period != month:
            return None
        return LocalPeriod(folder, manifest, self._refusal_of(month))

    def _refusal_of(self, month: str) -> Refusal | None:
        try:
            return Refusal.model_validate_json(self._refused_file(month).read_bytes())
        except (OSError, ValidationError):
            return None


def _is_whole(spend: Path, sha256: str) -> bool:
    """Whether a version's facts are as they were written; '' is one that has no digest yet."""
    try:
        if sha256:
            return sha256_of(spend) == sha256
        for _ in parquet.ParquetFile(spend).iter_batches():
            pass
    except (OSError, ArrowInvalid):
        return False
    return True


def _fold(reading: Reading, version: Path) -> Folded | None:
    """Keeps sessions of the version's facts as one that nothing tells apart.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    folding, above = reading.folding, reading.above
    if folding is None or above is None:
        return None
    spend, folds, kept = (version / name for name in (SPEND, "folds.parquet", "kept.parquet"))
    with database.connect() as connection:
        database.overflow_to(connection, version / "overflow")
        connection.read_parquet(str(spend)).create_view("spend")
        asked = {"above": above, **folding.parameters}
        found = connection.sql(query.duckdb_sql("store/sessions"), params=asked)
        principals = decide(folding.sessions(found.to_arrow_reader(BATCH)), above, folds)
        if principals:
            connection.read_parquet(str(folds)).create_view("session_folds")
            connection.execute(
                query.into_file(query.duckdb_sql("store/folded")), {"out": str(kept)}
            )
            connection.read_parquet(str(kept)).create_view("kept")
            sums = connection.sql(query.duckdb_sql("store/folded_totals")).to_arrow_table()
    folds.unlink()
    if not principals:
        return Folded(above=above)
    kept.replace(spend)
    return Folded(
        above=above,
        totals=tuple(FoldedTotal(**row) for row in sums.to_pylist()),
        principals=principals,
        session_rules=folding.session_rules(principals),
    )


def _contents(spend: Path) -> list[dict[str, Any]]:
    with database.connect() as connection:
        open_spend(connection, spend)
        sql = query.duckdb_sql("store/contents")
        found: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
        return found


def _usage_by_tags(spend: Path, in_force: Path) -> list[dict[str, Any]]:
    with database.connect() as connection:
        open_spend(connection, spend)
        open_spend(connection, in_force, "in_force")
        sql = query.duckdb_sql("store/usage_by_tags")
        found: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
        return found


def open_spend(connection: duckdb.DuckDBPyConnection, file: Path, name: str = "spend") -> None:
    """Makes a version's facts the view `name`; columns that an older version lacks are NULL."""
    stored = connection.read_parquet(str(file))
    lacking = [
        column for column in result_schema("daily_spend") if column.name not in stored.columns
    ]
    nulls = [duckdb.ConstantExpression(None).cast("BIGINT").alias(c.name) for c in lacking]
    stored.select(duckdb.StarExpression(), *nulls).create_view(name)
