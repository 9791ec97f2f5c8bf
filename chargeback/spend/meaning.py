"""Joins what a line means (who, which team, which model) to what the bill says.

The store keeps facts; rules may change. So meaning is worked out per version of a period and per
rules, once, over the distinct identities and meters, and kept beside the facts it was read from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa

from chargeback import __version__, query
from chargeback.settings import CostBasis
from chargeback.spend.attribution import (
    DIMENSIONS,
    UNALLOCATED,
    Attribution,
    AttributionRules,
    identity_of,
)
from chargeback.spend.owners import unreadable
from chargeback.spend.principal import read_principal
from chargeback.spend.usage_type import read_meter

if TYPE_CHECKING:  # the store gives the tables that are made of meanings
    from chargeback.spend.store import Manifest, StoredPeriod

MEANINGS_KEPT = 4
"""Of one version of a period: enough for pages and exports under different rules."""
IDENTITY_KEYS = ("usage_account_id", "iam_principal", "tags", "resource_tags", "cost_category")
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


@dataclass(frozen=True, slots=True)
class Meaning:
    """The two files that reports read of one billing period."""

    daily: Path
    monthly: Path

    @classmethod
    def within(cls, folder: Path) -> Self:
        """Where they are in a folder of their own."""
        return cls(folder / "daily.parquet", folder / "monthly.parquet")


@dataclass(frozen=True)
class Rules:
    """Everything that decides what a line means; equal rules give equal meaning."""

    attribution: AttributionRules
    cost_basis: CostBasis

    def basis_of(self, manifest: Manifest) -> str:
        """'unblended' or 'net': what the bill of this period is the sum of."""
        return manifest.cost_basis if self.cost_basis == "auto" else self.cost_basis

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
        parts = (attribution, self.cost_basis, __version__, _program())
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def meaning_of(period: StoredPeriod, rules: Rules) -> Meaning:
    """The period's meaning under `rules`: read from disk, or worked out and kept there.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    folder = period.folder / f"meaning-{rules.fingerprint}"
    if not folder.exists():
        beside = period.folder / f".{uuid.uuid4().hex[:12]}"
        beside.mkdir()
        try:
            _work_out(period, rules, beside)
            with suppress(OSError):  # another process was faster: its files say the same
                beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        _forget_others(period.folder, keep=folder)
    return Meaning.within(folder)


def _work_out(period: StoredPeriod, rules: Rules, folder: Path) -> None:
    basis, found = {"cost_basis": rules.basis_of(period.manifest)}, Meaning.within(folder)
    with duckdb.connect() as connection:
        connection.read_parquet(str(period.spend)).create_view("spend")
        identities = connection.sql(query.duckdb_sql("spend/identities")).to_arrow_table()
        meters = connection.sql(query.duckdb_sql("spend/meters")).to_arrow_table()
        connection.register("identity_meaning", identity_meaning(identities, rules.attribution))
        connection.register("meter_meaning", meter_meaning(meters))
        connection.execute("SET temp_directory = $room", {"room": str(folder / "overflow")})
        connection.execute(
            query.into_file(query.duckdb_sql("spend/meaning")), {**basis, "out": str(found.daily)}
        )
        connection.read_parquet(str(found.daily)).create_view("daily")
        monthly = query.duckdb_sql("spend/monthly", (("spend", "daily"),))
        connection.execute(query.into_file(monthly), {"out": str(found.monthly)})


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


def meter_meaning(meters: pa.Table) -> pa.Table:
    """What each row of queries/spend/meters.sql means."""
    return pa.Table.from_pylist([_read_meter(found) for found in meters.to_pylist()], METER_MEANING)


def _read_meter(found: dict[str, Any]) -> dict[str, Any]:
    keys = {key: found[key] for key in METER_KEYS}
    amount, cost = found["usage_amount"], found["unblended_cost"]
    meter = read_meter(**keys, rate=cost / amount if amount else None)
    return {
        **keys,
        "provider": meter.provider,
        "model": meter.model,
        "token_type": meter.token_type,
        "service_tier": meter.service_tier,
        "scope": meter.scope,
        "long_context": meter.long_context,
        "recognised": meter.recognised,
        "note": meter.note,
        "tokens_per_unit": meter.tokens_per_unit,
    }


@lru_cache(maxsize=1)
def _program() -> str:
    """Digest of what decides meaning in this program, so that a new release reads anew."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    sources += sorted((query.QUERIES / "spend").glob("*.sql"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()


def _forget_others(folder: Path, keep: Path) -> None:
    others = [path for path in folder.glob("meaning-*") if path != keep]
    for old in sorted(others, key=os.path.getmtime, reverse=True)[MEANINGS_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
