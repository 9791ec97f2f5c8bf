"""Whose a line is: an ordered list of sources per dimension; the first non-empty value wins.

In chargeback.toml:

    [attribution]
    team = ["iamPrincipal/team", "resourceTags/team", { owners = "owners.csv" }, "account"]
    tenant = ["iamPrincipal/tenant", { pattern = "^tenant-(?P<value>.+)$", on = "session" }]
    cost_center = ["iamPrincipal/cost-center", { account = { "111122223333" = "CC-100" } }]

A plain text with a `/` is a tag key; `account` is the usage account's id itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chargeback.spend.owners import OwnerRow, read_owners
from chargeback.spend.principal import read_principal

UNALLOCATED = "(unallocated)"
DIMENSIONS = ("tenant", "team", "project", "cost_center")
ALWAYS = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a line says about who pays; keys of `tags` carry their prefix, as billed."""

    usage_account_id: str
    iam_principal: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Attributed:
    """A value and the name of the source that decided it; '' for UNALLOCATED."""

    value: str
    source: str


def _tag_or_account(text: str) -> str:
    if text != "account" and not all(text.partition("/")):
        raise ValueError("a source is a tag key such as 'iamPrincipal/team', or 'account'")
    return text


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if "value" not in groups:
        raise ValueError("the pattern needs one group named value: (?P<value>…)")
    return text


class PatternSource(BaseModel):
    """A regular expression over a part of the principal; its group `value` is the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: Annotated[str, AfterValidator(_pattern)]
    on: Literal["session", "role", "principal"] = "session"


class AccountSource(BaseModel):
    """A value for each usage account id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: dict[str, str]


class OwnersSource(BaseModel):
    """An owner list: a CSV file, see owners.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owners: Path


AttributionSource = (
    Annotated[str, AfterValidator(_tag_or_account)] | PatternSource | AccountSource | OwnersSource
)


class AttributionRules(BaseModel):
    """The sources of each dimension, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: list[AttributionSource] = Field(default=["iamPrincipal/tenant"])
    team: list[AttributionSource] = Field(default=["iamPrincipal/team"])
    project: list[AttributionSource] = Field(default=["iamPrincipal/project"])
    cost_center: list[AttributionSource] = Field(default=["iamPrincipal/cost-center"])

    def describe(self) -> dict[str, Any]:
        """The rules as plain values, for manifests."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """Equal for equal rules, the content of owner lists included."""
        digest = hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode())
        for path in sorted({source.owners for source in self.sources() if _is_owners(source)}):
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()[:16]

    def tag_keys(self) -> dict[str, list[str]]:
        """The tag keys that each dimension asks for."""
        return {
            name: [key for key in getattr(self, name) if isinstance(key, str) and "/" in key]
            for name in DIMENSIONS
        }

    def sources(self) -> list[Any]:
        """All sources of all dimensions."""
        return [source for name in DIMENSIONS for source in getattr(self, name)]


def merge_tags(
    tags: Mapping[str, str], resource_tags: Mapping[str, str], cost_category: Mapping[str, str]
) -> dict[str, str]:
    """One map of the three that CUR may have; `tags` wins where two name the same key."""
    return {
        **{f"resourceTags/{key}": value for key, value in resource_tags.items()},
        **{f"costCategory/{key}": value for key, value in cost_category.items()},
        **tags,
    }


def attribute(
    rules: AttributionRules, identity: Identity
) -> list[tuple[date, date, dict[str, Attributed]]]:
    """Whose the identity's lines are, for half-open intervals of usage dates that cover all time.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    identity = replace(identity, tags={k: v for k, v in identity.tags.items() if _decides(v)})
    tags = _without_case(identity.tags)
    return [
        (
            start,
            end,
            {
                name: _decide(getattr(rules, name), name, identity, tags, start)
                for name in DIMENSIONS
            },
        )
        for start, end in _intervals(rules, identity)
    ]


def _decide(
    sources: list[AttributionSource], name: str, identity: Identity, tags: dict[str, str], on: date
) -> Attributed:
    for source in sources:
        value, label = _ask(source, name, identity, tags, on)
        if _decides(value):
            return Attributed(value, label)
    return Attributed(UNALLOCATED, "")


def _decides(value: str) -> bool:
    """Whether a value names anybody: spaces alone don't, and nobody is called UNALLOCATED."""
    return bool(value.strip()) and value != UNALLOCATED


def _ask(
    source: AttributionSource, name: str, identity: Identity, tags: dict[str, str], on: date
) -> tuple[str, str]:
    if source == "account":
        return identity.usage_account_id, "account"
    if isinstance(source, str):
        return _tag(source, identity.tags, tags), source
    if isinstance(source, PatternSource):
        return _matched(source, identity), f"pattern on {source.on}"
    if isinstance(source, AccountSource):
        return source.account.get(identity.usage_account_id, ""), "account"
    rows = (row for row in _owner_rows(source, identity) if row.is_in_force(on))
    return next((row.values[name] for row in rows if name in row.values), ""), "owner list"


def _tag(key: str, as_billed: Mapping[str, str], without_case: dict[str, str]) -> str:
    """The key as spelled first, then in any case, then as CUR prefixes user-defined keys."""
    prefix, _, rest = key.partition("/")
    spellings = [key]
    if prefix.lower() == "resourcetags":
        spellings += [f"{prefix}/user_{rest}", f"{prefix}/user:{rest}"]
    for spelling in spellings:
        value = as_billed.get(spelling) or without_case.get(spelling.casefold(), "")
        if value:
            return value
    return ""


def _without_case(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags by their key without case; of several the first in key order."""
    found: dict[str, str] = {}
    for key in sorted(tags):
        found.setdefault(key.casefold(), tags[key])
    return found


def _matched(source: PatternSource, identity: Identity) -> str:
    principal = read_principal(identity.iam_principal)
    text = {
        "session": principal.session,
        "role": principal.role,
        "principal": principal.iam_principal,
    }[source.on]
    found = re.search(source.pattern, text) if text else None
    return (found["value"] or "") if found else ""


def _intervals(rules: AttributionRules, identity: Identity) -> Iterator[tuple[date, date]]:
    cuts = {*ALWAYS}
    for source in rules.sources():
        if _is_owners(source):
            for row in _owner_rows(source, identity):
                cuts |= {row.effective_from, row.effective_to}
    ordered = sorted(cuts)
    return pairwise(ordered)


def _owner_rows(source: OwnersSource, identity: Identity) -> list[OwnerRow]:
    names = (identity.iam_principal, read_principal(identity.iam_principal).group)
    changed = source.owners.stat().st_mtime_ns if source.owners.exists() else 0
    rows = _owners(source.owners, changed)
    return [row for row in rows if row.matches(identity.usage_account_id, names)]


@lru_cache(maxsize=8)
def _owners(path: Path, _changed: int) -> list[OwnerRow]:
    return read_owners(path)


def _is_owners(source: object) -> bool:
    return isinstance(source, OwnersSource)
