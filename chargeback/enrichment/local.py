"""Joins what a line means (who, which team, which model) to what the bill says.

The store keeps facts; rules may change. So meaning is worked out per version of a period and per
rules, once, over the distinct identities and meters, and kept beside the facts it was read from.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import __version__, query
from chargeback.attribution.owners import unreadable
from chargeback.attribution.principal import read_principal
from chargeback.attribution.rule_notices import IDENTITY_KEYS, rule_notices
from chargeback.attribution.rules import DIMENSIONS, Attribution, AttributionRules, identity_of
from chargeback.bedrock.usage_type import Meter, read_meter
from chargeback.dimensions import UNALLOCATED
from chargeback.enrichment.bill import Bill, make_bill
from chargeback.errors import SourceProblem
from chargeback.files.holds import delete_unless_held, holding
from chargeback.files.whole import flush, sha256_of
from chargeback.notices import Notice
from chargeback.sources.bill_settings import BillSettings, DefaultBasis
from chargeback.sources.cur2 import result_schema

if TYPE_CHECKING:  # the store gives the tables that are made of meanings
    from chargeback.store.local import StoredPeriod

DAILY, MONTHLY, BILL = "daily.parquet", "monthly.parquet", "bill.json"
UNFINISHED = ".unfinished-"
"""Begins the name of a folder that is being filled; what is left of a killed process goes."""
MEANINGS_KEPT = 4
"""Of one version of a period: enough for pages and exports under different rules."""
METER_KEYS = (
    "billing_entity",
    "product_code",
    "product_name",
    "usage_type",
    "pricing_unit",
    "description",
    "operation",
    "line_item_type",
)
IDENTITY_MEANING = pa.schema(
    [
        (column, pa.string())
        for column in (
            *IDENTITY_KEYS,
            *("principal_type", "principal", "principal_name", "session_name"),
            *(column for name in DIMENSIONS for column in (name, f"{name}_source")),
        )
    ]
    + [("valid_from", pa.date32()), ("valid_to", pa.date32())]
)
METER_MEANING = pa.schema(
    [
        (column, pa.string())
        for column in (
            *METER_KEYS,
            *("provider", "model", "token_type", "service_tier", "scope", "note"),
        )
    ]
    + [("long_context", pa.bool_()), ("recognised", pa.bool_())]
    + [("tokens_per_unit", pa.decimal128(10, 0))]
)


PAYER_ORDER = [("payer_account_id", "ascending"), ("currency", "ascending")]
Ask = Callable[[str], pa.Table]
"""Answers a statement of queries/spend over one version of a period, under some rules."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What reports read of one billing period: two files, and what the bill comes to."""

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
        return self.folder / DAILY

    @property
    def monthly(self) -> Path:
        """The same without days."""
        return self.folder / MONTHLY


class _Kept(BaseModel):
    """Said of a finished meaning, so that a damaged one is noticed and made anew."""

    model_config = ConfigDict(frozen=True)

    bill: Bill
    sha256: dict[str, str]


@dataclass(frozen=True)
class Rules:
    """Everything that decides what a line means; equal rules give equal meaning."""

    attribution: AttributionRules
    cost_basis: DefaultBasis
    bill: BillSettings = field(default_factory=BillSettings)

    def bill_of(self, ask: Ask, meters: Sequence[Mapping[str, Any]], billing_period: str) -> Bill:
        """What a period comes to; `meters` as of `read_meters`."""
        bill = make_bill(
            ask("spend/payers").sort_by(PAYER_ORDER).to_pylist(),
            meters,
            settled=self.bill.basis,
            default=self.cost_basis,
            excluded=self.bill.exclude_products,
        )
        notices = (*bill.notices, *self._notices(ask, billing_period))
        return bill.model_copy(update={"notices": notices})

    @property
    def parameters(self) -> dict[str, Any]:
        """What the rules say to the statements of queries/spend."""
        return {
            "excluded": list(self.bill.exclude_products),
            "reads_resources": int(self.attribution.reads_resources),
            "is_dated": int(bool(self.attribution.owner_lists())),
        }

    def _notices(self, ask: Ask, billing_period: str) -> tuple[Notice, ...]:
        """What of the rules that somebody set does nothing, or not what a list's order suggests."""
        chosen = self.attribution.model_fields_set
        if not chosen:
            return ()
        found = rule_notices(self.attribution, ask("spend/identity_costs"), billing_period)
        return tuple(each for each in found if each.about.get("dimension", "") in {*chosen, ""})

    @property
    def fingerprint(self) -> str:
        """Changes when any figure could change without the bill having changed.

        Raises:
            OwnerListError: an owner list is there, but can't be read.
        """
        try:
            attribution = self.attribution.fingerprint()
        except OSError as error:
            raise unreadable(Path(error.filename), error) from error
        bill = self.bill.model_dump_json(include={"basis", "exclude_products"})
        parts = (attribution, self.cost_basis, bill, __version__, _program())
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


class DamagedFacts(SourceProblem):
    """What is kept of a month can't be read any more; the bill has to be read anew."""


def meaning_of(period: StoredPeriod, rules: Rules) -> Meaning:
    """The period's meaning under `rules`: read from disk, or worked out and kept there.

    What is damaged is made anew. Where nothing can be kept beside the facts (a store that is only
    readable), it is worked out in a folder of this process's own.

    Raises:
        OwnerListError: an owner list can't be used.
        DamagedFacts: the facts themselves can't be read.
        SourceProblem: it can't be written, for want of space, memory or permission.
    """
    folder = period.folder / f"meaning-{rules.fingerprint}"
    whole = _read(folder)
    if whole is None:
        with _explained(period):
            whole = _make(period, rules, folder)
            _forget_others(period.folder, keep=folder)
    return whole


def _make(period: StoredPeriod, rules: Rules, folder: Path) -> Meaning:
    try:
        beside = Path(mkdtemp(prefix=UNFINISHED, dir=period.folder))
    except PermissionError:
        return _make_elsewhere(period, rules)
    with holding(beside):
        try:
            _work_out(period, rules, beside)
            _put_in_place(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return _read(folder) or _make_elsewhere(period, rules)


def _make_elsewhere(period: StoredPeriod, rules: Rules) -> Meaning:
    folder = Path(mkdtemp(prefix="chargeback-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bill = _work_out(period, rules, folder)
    return Meaning(folder, bill, _digests(folder, bill))


def _put_in_place(beside: Path, folder: Path) -> None:
    damaged = folder.with_name(f"{UNFINISHED}{folder.name}")
    with suppress(OSError):  # another process was faster: its files say the same
        if folder.exists() and _read(folder) is None:
            folder.rename(damaged)
        beside.rename(folder)
    flush(folder.parent)
    shutil.rmtree(damaged, ignore_errors=True)


def _read(folder: Path) -> Meaning | None:
    """A finished meaning whose files are whole; else None."""
    try:
        kept = _Kept.model_validate_json((folder / BILL).read_bytes())
    except (OSError, ValidationError):
        return None
    meaning = Meaning(folder, kept.bill, kept.sha256)
    return meaning if meaning.is_whole() else None


@contextmanager
def _explained(period: StoredPeriod) -> Iterator[None]:
    """Says what keeps a month from being worked out; whether it is the facts is looked up."""
    month = period.manifest.billing_period
    if period.manifest.spend_sha256 and not period.is_whole():
        raise _damaged(period)  # a changed byte may be read as another amount
    try:
        yield
    except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
        if not period.is_whole():
            raise _damaged(period) from error
        raise SourceProblem(
            f"What the lines of {month} mean can't be worked out: {_reason(error)}.",
            "That month can't be shown; all others can.",
            "Give the spend store's folder free space and permission to write, and the machine "
            "memory.",
        ) from error


def _damaged(period: StoredPeriod) -> DamagedFacts:
    period.mark_as_damaged()
    return DamagedFacts(
        f"What the spend store keeps of {period.manifest.billing_period} is damaged.",
        "That month can't be shown; all others can.",
        "It is read from the bill again with the next refresh.",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, duckdb.OutOfMemoryException):
        return "too little memory"
    return (isinstance(error, OSError) and error.strerror) or "no space, or no permission, to write"


def _work_out(period: StoredPeriod, rules: Rules, folder: Path) -> Bill:
    with duckdb.connect() as connection:
        open_spend(connection, period.spend)
        ask = partial(_asked, connection, rules.parameters)
        meters = read_meters(ask("spend/meters"))
        bill = rules.bill_of(ask, meters, period.manifest.billing_period)
        identities = identity_meaning(ask("spend/identities"), rules.attribution)
        connection.register("identity_meaning", identities)
        connection.register("meter_meaning", meter_meaning(meters))
        connection.execute("SET temp_directory = $room", {"room": str(folder / "overflow")})
        daily = query.into_file(query.duckdb_sql("spend/meaning"))
        parameters = query.taken(query.load("spend/meaning"), rules.parameters)
        connection.execute(
            daily, {**parameters, "net_payers": bill.net_payers, "out": str(folder / DAILY)}
        )
        connection.read_parquet(str(folder / DAILY)).create_view("daily")
        monthly = query.duckdb_sql("spend/monthly", (("spend", "daily"),))
        connection.execute(query.into_file(monthly), {"out": str(folder / MONTHLY)})
    kept = _Kept(bill=bill, sha256=_digests(folder, bill))
    (folder / BILL).write_text(kept.model_dump_json(indent=2), "utf-8")
    for name in (DAILY, MONTHLY, BILL):
        flush(folder / name)
    return bill


def _asked(
    connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], name: str
) -> pa.Table:
    taken = query.taken(query.load(name), parameters)
    return connection.sql(query.duckdb_sql(name), params=taken).to_arrow_table()


def _digests(folder: Path, bill: Bill) -> dict[str, str]:
    said = hashlib.sha256(bill.model_dump_json().encode()).hexdigest()
    return {BILL: said, **{name: sha256_of(folder / name) for name in (DAILY, MONTHLY)}}


def open_spend(connection: duckdb.DuckDBPyConnection, file: Path, name: str = "spend") -> None:
    """Makes a version's facts the view `name`; columns that an older version lacks are NULL."""
    stored = connection.read_parquet(str(file))
    lacking = [
        column for column in result_schema("daily_spend") if column.name not in stored.columns
    ]
    nulls = [duckdb.ConstantExpression(None).cast("BIGINT").alias(c.name) for c in lacking]
    stored.select(duckdb.StarExpression(), *nulls).create_view(name)


def identity_meaning(identities: pa.Table, rules: AttributionRules) -> pa.Table:
    """What each row of queries/spend/identities.sql means, and from when to when."""
    attribution = Attribution(rules)
    rows = [row for found in identities.to_pylist() for row in _read_identity(found, attribution)]
    return pa.Table.from_pylist(rows, IDENTITY_MEANING)


def _read_identity(found: dict[str, str], attribution: Attribution) -> Iterator[dict[str, Any]]:
    principal = read_principal(found["iam_principal"])
    for valid_from, valid_to, decided in attribution.of(identity_of(found)):
        yield {
            **found,
            "principal_type": principal.type,
            "principal": principal.group or UNALLOCATED,
            "principal_name": principal.group_name if principal.group else UNALLOCATED,
            "session_name": principal.session,
            **{name: decided[name].value for name in DIMENSIONS},
            **{f"{name}_source": decided[name].source for name in DIMENSIONS},
            "valid_from": valid_from,
            "valid_to": valid_to,
        }


def read_meters(found: pa.Table) -> list[dict[str, Any]]:
    """The rows of queries/spend/meters.sql, each with its reading as `meter`."""
    return [{**row, "meter": _read_meter(row)} for row in found.to_pylist()]


def _read_meter(found: Mapping[str, Any]) -> Meter:
    rate = found["rate"]
    return read_meter(
        **{key: found[key] for key in METER_KEYS},
        rate=None if rate is None else Decimal(repr(rate)),
    )


def meter_meaning(meters: Iterable[Mapping[str, Any]]) -> pa.Table:
    """What each row of `read_meters` means."""
    return pa.Table.from_pylist([_meter_row(found) for found in meters], METER_MEANING)


def _meter_row(found: Mapping[str, Any]) -> dict[str, Any]:
    meter: Meter = found["meter"]
    named = {
        field.name: getattr(meter, field.name)
        for field in METER_MEANING
        if field.name not in METER_KEYS
    }
    return {**{key: found[key] for key in METER_KEYS}, **named}


@lru_cache(maxsize=1)
def _program() -> str:
    """Digest of what decides meaning in this program, so that a new release reads anew."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    sources += sorted((query.QUERIES / "spend").glob("*.sql"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()


def _forget_others(folder: Path, keep: Path) -> None:
    others = [path for path in folder.glob("meaning-*") if path != keep]
    unfinished = [path for path in folder.glob(f"{UNFINISHED}*") if path.is_dir()]
    too_many = sorted(others, key=_changed, reverse=True)[MEANINGS_KEPT - 1 :]
    for old in (*too_many, *unfinished):
        delete_unless_held(old)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has removed it
        return 0.0
