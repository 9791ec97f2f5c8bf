"""The facts of a stored period joined with what they mean under some rules, in files.

The store keeps facts; rules may change. So this is worked out once per version of a period and per
rules, over the distinct identities and meters, and kept in the folder of the facts.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import database, query
from chargeback.enrichment.bill import Ask, Bill, bill_of
from chargeback.enrichment.classify import (
    BATCH,
    attributed_identities,
    read_meters,
    recognised_meters,
)
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Rows
from chargeback.errors import SourceProblem
from chargeback.files.atomic import flush, sha256_of
from chargeback.files.holds import delete_unless_held, holding
from chargeback.store.local import LocalPeriod, LocalStore, open_spend

BILL = "bill.json"
MADE_OF: Mapping[Rows, Rows | None] = {
    "daily": None,
    "monthly": "daily",
    "daily_callers": "daily",
    "monthly_principals": "monthly",
}
"""The kinds of rows in the order in which they are made, and which they add up."""
ENRICHED = "enriched-"
"""Begins the name of a finished folder; the cache key of its rules follows."""
UNFINISHED = ".unfinished-"
"""Begins the name of a folder that is being filled; what is left of a killed process goes."""
USELESS = (UNFINISHED, "meaning-")
"""What killed processes left, and what versions up to 0.1.0 made."""
RULES_KEPT = 4
"""Of one version of a period: enough for pages and exports under different rules."""


@dataclass(frozen=True, slots=True)
class EnrichedPeriod:
    """What reports read of one billing period: files, and what the bill comes to."""

    folder: Path
    bill: Bill = field(hash=False)
    sha256: Mapping[str, str] = field(hash=False)
    """What the files and the bill were when they were written."""

    def is_whole(self) -> bool:
        """Whether nothing has changed since, to the last byte."""
        try:
            return _digests(self.folder, self.bill) == self.sha256
        except OSError:
            return False

    @property
    def daily(self) -> Path:
        """The rows of the store with what they mean."""
        return self.file("daily")

    @property
    def monthly(self) -> Path:
        """The same without days."""
        return self.file("monthly")

    def file(self, rows: Rows) -> Path:
        """Where its rows of a kind are."""
        return _file(self.folder, rows)


class _BillFile(BaseModel):
    """Written last, so that what is unfinished or damaged is noticed and made anew."""

    model_config = ConfigDict(frozen=True)

    bill: Bill
    sha256: dict[str, str]


def enrich(period: LocalPeriod, rules: Rules) -> EnrichedPeriod:
    """The period under `rules`: read from disk, or worked out and kept there.

    What is damaged is made anew. Where nothing can be kept beside the facts (a store that is only
    readable), it is worked out in a folder of this process's own.

    Raises:
        OwnerListError: an owner list can't be used.
        DamagedFacts: the facts themselves can't be read.
        SourceProblem: it can't be written, for want of space, memory or permission.
    """
    folder = period.folder / f"{ENRICHED}{rules.cache_key}"
    whole = _read(folder)
    if whole is None:
        with _named_problems(period):
            whole = _make(period, rules, folder)
            _forget_others(period.folder, keep=folder)
    return whole


@contextmanager
def asking(store: LocalStore, period: LocalPeriod, parameters: Mapping[str, Any]) -> Iterator[Ask]:
    """Answers statements of queries/store over a period, which stays while it is asked.

    Raises:
        SourceProblem: its facts can't be read.
    """
    hold = store.hold(period)
    try:
        with _named_problems(period), database.connect() as connection:
            open_spend(connection, period.spend)
            yield partial(_ask, connection, parameters)
    finally:
        hold.release()


def _make(period: LocalPeriod, rules: Rules, folder: Path) -> EnrichedPeriod:
    try:
        draft = Path(mkdtemp(prefix=UNFINISHED, dir=period.folder))
    except PermissionError:
        return _make_elsewhere(period, rules)
    with holding(draft):
        try:
            _work_out(period, rules, draft)
            _put_in_place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return _read(folder) or _make_elsewhere(period, rules)


def _make_elsewhere(period: LocalPeriod, rules: Rules) -> EnrichedPeriod:
    folder = Path(mkdtemp(prefix="chargeback-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bill = _work_out(period, rules, folder)
    return EnrichedPeriod(folder, bill, _digests(folder, bill))


def _put_in_place(draft: Path, folder: Path) -> None:
    damaged = folder.with_name(f"{UNFINISHED}{folder.name}")
    with suppress(OSError):  # another process was faster: its files say the same
        if folder.exists() and _read(folder) is None:
            folder.rename(damaged)
        draft.rename(folder)
    flush(folder.parent)
    shutil.rmtree(damaged, ignore_errors=True)


def _read(folder: Path) -> EnrichedPeriod | None:
    """A finished folder whose files are whole; else None."""
    try:
        kept = _BillFile.model_validate_json((folder / BILL).read_bytes())
    except (OSError, ValidationError):
        return None
    found = EnrichedPeriod(folder, kept.bill, kept.sha256)
    return found if found.is_whole() else None


@contextmanager
def _named_problems(period: LocalPeriod) -> Iterator[None]:
    """Says what keeps a month from being worked out; whether it is the facts is looked up."""
    month = period.manifest.billing_period
    if period.manifest.spend_sha256 and not period.is_whole():
        raise period.damaged()  # a changed byte may be read as another amount
    try:
        yield
    except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
        if not period.is_whole():
            raise period.damaged() from error
        raise SourceProblem(
            f"The lines of {month} can't be interpreted: {_reason(error)}.",
            "That month can't be shown; all others can.",
            "Check that the spend store's folder can be written and has free space, and that the "
            "machine has enough memory.",
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, duckdb.OutOfMemoryException):
        return "too little memory"
    return (isinstance(error, OSError) and error.strerror) or "no space, or no permission, to write"


def _work_out(period: LocalPeriod, rules: Rules, folder: Path) -> Bill:
    with database.connect() as connection:
        open_spend(connection, period.spend)
        ask = partial(_ask, connection, rules.parameters)
        meters = read_meters(ask("store/meters"))
        bill = bill_of(ask, meters, period.manifest.billing_period, rules)
        # More than memory should hold as Python's.
        identities = _rows(connection, rules.parameters, "store/identities").to_arrow_reader(BATCH)
        attributed = attributed_identities(identities, rules.attribution)
        connection.register("attributed_identities", attributed)
        connection.register("recognised_meters", recognised_meters(meters))
        database.overflow_to(connection, folder / "overflow")
        known = {**rules.parameters, "net_payers": bill.net_payers}
        for rows, of in MADE_OF.items():
            sql = query.duckdb_sql(f"store/{rows}", (("enriched", of),) if of else ())
            taken = query.select_parameters(query.load(f"store/{rows}"), known)
            out = str(_file(folder, rows))
            connection.execute(query.into_file(sql), {**taken, "out": out})
            connection.read_parquet(out).create_view(rows)
    kept = _BillFile(bill=bill, sha256=_digests(folder, bill))
    (folder / BILL).write_text(kept.model_dump_json(indent=2), "utf-8")
    for file in (*(_file(folder, rows) for rows in MADE_OF), folder / BILL):
        flush(file)
    return bill


def _ask(
    connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], name: str
) -> pa.Table:
    return _rows(connection, parameters, name).to_arrow_table()


def _rows(
    connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], name: str
) -> duckdb.DuckDBPyRelation:
    taken = query.select_parameters(query.load(name), parameters)
    return connection.sql(query.duckdb_sql(name), params=taken)


def _digests(folder: Path, bill: Bill) -> dict[str, str]:
    said = hashlib.sha256(bill.model_dump_json().encode()).hexdigest()
    files = (_file(folder, rows) for rows in MADE_OF)
    return {BILL: said, **{file.name: sha256_of(file) for file in files}}


def _file(folder: Path, rows: Rows) -> Path:
    return folder / f"{rows}.parquet"


def _forget_others(folder: Path, keep: Path) -> None:
    others = [path for path in folder.glob(f"{ENRICHED}*") if path != keep]
    useless = [path for name in USELESS for path in folder.glob(f"{name}*") if path.is_dir()]
    too_many = sorted(others, key=_changed, reverse=True)[RULES_KEPT - 1 :]
    for old in (*too_many, *useless):
        delete_unless_held(old)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has removed it
        return 0.0
