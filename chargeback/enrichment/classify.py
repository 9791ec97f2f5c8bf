"""Reads each distinct identity and each distinct meter of a billing period once, in Python.

The tables that this gives are small; the engine joins them to the facts.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from chargeback.attribution.attribution import Attribution, Decision
from chargeback.attribution.gateways import Gateways
from chargeback.attribution.identity import identity_of
from chargeback.attribution.principal import Principal, read_principal
from chargeback.attribution.rule_notices import IDENTITY_KEYS
from chargeback.attribution.rules import AttributionRules
from chargeback.bedrock.usage_type import Meter, read_meter
from chargeback.dimensions import ATTRIBUTED, UNALLOCATED

BATCH = 100_000
"""Identities that are read at a time."""
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
CALLER_COLUMNS = ("principal_type", "principal", "principal_name", "session_name")
ATTRIBUTED_IDENTITIES = pa.schema(
    [
        (column, pa.string())
        for column in (
            *IDENTITY_KEYS,
            *CALLER_COLUMNS,
            *(column for each in ATTRIBUTED for column in (each.name, f"{each.name}_source")),
        )
    ]
    + [("is_gateway", pa.bool_()), ("blank_tags", pa.string()), ("other_opinions", pa.string())]
    + [("valid_from", pa.date32()), ("valid_to", pa.date32())]
)
DECIDED_COLUMNS = tuple(
    name
    for name in ATTRIBUTED_IDENTITIES.names
    if name not in (*IDENTITY_KEYS, *CALLER_COLUMNS, "is_gateway")
)
RECOGNISED_METERS = pa.schema(
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


def attributed_identities(
    identities: Iterable[pa.RecordBatch], rules: AttributionRules
) -> pa.Table:
    """Who pays for each row of queries/store/identities.sql, and from when to when.

    A month may name millions of sessions: of each batch, callers of whom all sources say the same
    are decided once, and texts that repeat are kept once.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    attribution, gateways = Attribution(rules), Gateways()
    parts = [_attributed(batch, attribution, gateways) for batch in identities]
    if not parts:
        return ATTRIBUTED_IDENTITIES.empty_table()
    roles = pa.array(gateways.roles(), pa.string())
    return pa.concat_tables([_with_gateways(part, roles) for part in parts])


def _attributed(batch: pa.RecordBatch, attribution: Attribution, gateways: Gateways) -> pa.Table:
    """The rows of a batch, but for `is_gateway`."""
    decided: list[dict[str, Any]] = []
    known: dict[Hashable, range] = {}
    callers: list[dict[str, Any]] = []
    rows: list[int] = []
    answers: list[int] = []
    for row, found in enumerate(batch.to_pylist()):
        principal, question = read_principal(found["iam_principal"]), attribution.question(found)
        gateways.see(principal)
        if question not in known:
            first = len(decided)
            decided += map(_decided, attribution.of(identity_of(found)))
            known[question] = range(first, len(decided))
        callers.append(_caller(principal))
        rows += [row] * len(known[question])
        answers += known[question]
    of_callers = pa.Table.from_pylist(callers, _fields(CALLER_COLUMNS))
    columns = [
        *pa.Table.from_batches([batch]).select(IDENTITY_KEYS).take(rows).itercolumns(),
        *of_callers.take(rows).itercolumns(),
        *pa.Table.from_pylist(decided, _fields(DECIDED_COLUMNS)).take(answers).itercolumns(),
    ]
    names = (*IDENTITY_KEYS, *CALLER_COLUMNS, *DECIDED_COLUMNS)
    return pa.table(dict(zip(names, map(_compact, names, columns), strict=True)))


def _with_gateways(part: pa.Table, roles: pa.Array) -> pa.Table:
    is_gateway = pc.is_in(part["principal"].cast(pa.string()), roles)
    return part.append_column("is_gateway", is_gateway).select(ATTRIBUTED_IDENTITIES.names)


def _compact(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts that repeat, kept once; those of sessions don't."""
    is_text = column.type == pa.string() and name not in ("iam_principal", "session_name")
    return column.dictionary_encode() if is_text else column


def _fields(names: Iterable[str]) -> pa.Schema:
    return pa.schema([ATTRIBUTED_IDENTITIES.field(name) for name in names])


def _caller(principal: Principal) -> dict[str, str]:
    return {
        "principal_type": principal.type,
        "principal": principal.group or UNALLOCATED,
        "principal_name": principal.group_name if principal.group else UNALLOCATED,
        "session_name": principal.session,
    }


def _decided(interval: tuple[date, date, Mapping[str, Decision]]) -> dict[str, Any]:
    valid_from, valid_to, decided = interval
    return {
        **{name: decision.value for name, decision in decided.items()},
        **{f"{name}_source": decision.source for name, decision in decided.items()},
        "blank_tags": _blank_tags(decided),
        "other_opinions": _other_opinions(decided),
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


def _blank_tags(decided: Mapping[str, Decision]) -> str:
    """The dimensions whose tag has no value, each between commas: ',team,cost_center,'."""
    names = [name for name, decision in decided.items() if decision.is_blank]
    return f",{','.join(names)}," if names else ""


def _other_opinions(decided: Mapping[str, Decision]) -> str:
    """What tags and owner lists say that did not decide: '{"team": {"owner list": "ads"}}'."""
    said = {name: dict(decision.others) for name, decision in decided.items() if decision.others}
    return json.dumps(said, ensure_ascii=False) if said else ""


def read_meters(found: pa.Table) -> list[dict[str, Any]]:
    """The rows of queries/store/meters.sql, each with its reading as `meter`."""
    return [{**row, "meter": _meter(row)} for row in found.to_pylist()]


def _meter(found: Mapping[str, Any]) -> Meter:
    return _reading(found["rate"], *(found[key] for key in METER_KEYS))


@lru_cache(maxsize=4096)  # months have most of their meters in common
def _reading(rate: float | None, *keys: str) -> Meter:
    return read_meter(
        **dict(zip(METER_KEYS, keys, strict=True)),
        rate=None if rate is None else Decimal(repr(rate)),
    )


def recognised_meters(meters: Iterable[Mapping[str, Any]]) -> pa.Table:
    """What each row of `read_meters` is."""
    return pa.Table.from_pylist([_recognised(found) for found in meters], RECOGNISED_METERS)


def _recognised(found: Mapping[str, Any]) -> dict[str, Any]:
    meter: Meter = found["meter"]
    names = [field.name for field in RECOGNISED_METERS if field.name not in METER_KEYS]
    return {
        **{key: found[key] for key in METER_KEYS},
        **{name: getattr(meter, name) for name in names},
    }
