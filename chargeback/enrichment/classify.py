"""Reads each distinct identity and each distinct meter of a billing period once, in Python.

The tables that this gives are small; the engine joins them to the facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa

from chargeback.attribution.attribution import Attribution, Decision
from chargeback.attribution.gateways import gateway_roles
from chargeback.attribution.identity import identity_of
from chargeback.attribution.principal import Principal, read_principal
from chargeback.attribution.rule_notices import IDENTITY_KEYS
from chargeback.attribution.rules import AttributionRules
from chargeback.bedrock.usage_type import Meter, read_meter
from chargeback.dimensions import ATTRIBUTED, UNALLOCATED

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
ATTRIBUTED_IDENTITIES = pa.schema(
    [
        (column, pa.string())
        for column in (
            *IDENTITY_KEYS,
            *("principal_type", "principal", "principal_name", "session_name"),
            *(column for each in ATTRIBUTED for column in (each.name, f"{each.name}_source")),
        )
    ]
    + [("is_gateway", pa.bool_()), ("blank_tags", pa.string()), ("other_opinions", pa.string())]
    + [("valid_from", pa.date32()), ("valid_to", pa.date32())]
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


def attributed_identities(identities: pa.Table, rules: AttributionRules) -> pa.Table:
    """Who pays for each row of queries/store/identities.sql, and from when to when.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    attribution, found = Attribution(rules), identities.to_pylist()
    principals = [read_principal(each["iam_principal"]) for each in found]
    gateways = gateway_roles(principals)
    rows = [
        {**row, "is_gateway": principal.group in gateways}
        for each, principal in zip(found, principals, strict=True)
        for row in _attributed(each, principal, attribution)
    ]
    return pa.Table.from_pylist(rows, ATTRIBUTED_IDENTITIES)


def _attributed(
    found: dict[str, str], principal: Principal, attribution: Attribution
) -> Iterator[dict[str, Any]]:
    for valid_from, valid_to, decided in attribution.of(identity_of(found)):
        yield {
            **found,
            "principal_type": principal.type,
            "principal": principal.group or UNALLOCATED,
            "principal_name": principal.group_name if principal.group else UNALLOCATED,
            "session_name": principal.session,
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
