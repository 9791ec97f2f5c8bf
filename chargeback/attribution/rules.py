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
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from chargeback.attribution.owner_list import Choice, Matches, OwnerList, cuts
from chargeback.attribution.patterns import compiled, value_in
from chargeback.attribution.principal import NO_PRINCIPAL, read_principal
from chargeback.dimensions import UNALLOCATED

DIMENSIONS = ("tenant", "team", "project", "cost_center")
ALWAYS = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a line says about who pays; keys of `tags` carry their prefix, as billed."""

    usage_account_id: str
    iam_principal: str
    tags: Mapping[str, str]
    resource_id: str = ""
    """Where a rule reads it; '' otherwise."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """A value and the name of the source that decided it; '' for UNALLOCATED."""

    value: str
    source: str
    owner: Choice | None = field(default=None, compare=False)
    """Of an owner list: the row that counted, and the one that stands first."""


def _tag_or_account(text: str) -> str:
    if text != "account" and not all(text.partition("/")):
        raise ValueError("a source is a tag key such as 'iamPrincipal/team', or 'account'")
    return text


def _pattern(text: str) -> str:
    compiled(text)
    return text


class PatternSource(BaseModel):
    """A regular expression over a part of the line; its group `value` is the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: Annotated[str, AfterValidator(_pattern)]
    on: Literal["session", "role", "principal", "resource"] = "session"
    """What it is matched against: of the principal, or the id of the resource as billed."""


class AccountSource(BaseModel):
    """A value for each usage account id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: dict[str, str]


class OwnersSource(BaseModel):
    """An owner list: a CSV file, see owners.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owners: Path


KINDS: dict[type[BaseModel], str] = {
    PatternSource: "pattern",
    AccountSource: "account",
    OwnersSource: "owners",
}


def _kind(source: object) -> str | None:
    """Which kind of source something looks like, so that only that kind says what is wrong."""
    if isinstance(source, str):
        return "text"
    if isinstance(source, dict):
        return next((kind for kind in KINDS.values() if kind in source), None)
    if isinstance(source, PatternSource | AccountSource | OwnersSource):
        return KINDS[type(source)]
    return None


AttributionSource = Annotated[
    Annotated[str, AfterValidator(_tag_or_account), Tag("text")]
    | Annotated[PatternSource, Tag("pattern")]
    | Annotated[AccountSource, Tag("account")]
    | Annotated[OwnersSource, Tag("owners")],
    Discriminator(
        _kind,
        custom_error_type="no_source",
        custom_error_message="a source is a tag key such as 'iamPrincipal/team', 'account', "
        "{ account = … }, { pattern = … } or { owners = … }",
    ),
]


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
        for path in self.owner_lists():
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()[:16]

    def tag_keys(self) -> dict[str, list[str]]:
        """The tag keys that each dimension asks for."""
        return {
            name: [key for key in getattr(self, name) if isinstance(key, str) and "/" in key]
            for name in DIMENSIONS
        }

    def owner_lists(self) -> list[Path]:
        """The files of owner lists, each once."""
        return sorted({source.owners for source in self.sources() if _is_owners(source)})

    @property
    def reads_resources(self) -> bool:
        """Whether a pattern is matched against resource ids, which otherwise decide nothing."""
        return any(
            isinstance(source, PatternSource) and source.on == "resource"
            for source in self.sources()
        )

    def labels(self, dimension: str) -> list[str]:
        """A name for each source of a dimension: its kind, and from the second on its number."""
        seen: Counter[str] = Counter()
        labels = []
        for kind in map(_label, getattr(self, dimension)):
            seen[kind] += 1
            labels.append(kind if seen[kind] == 1 else f"{kind} ({seen[kind]})")
        return labels

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


def identity_of(row: Mapping[str, str]) -> Identity:
    """The identity that a row of queries/spend/identities.sql names; its maps are JSON."""
    maps = (_tag_map(row[key]) for key in ("tags", "resource_tags", "cost_category"))
    return Identity(
        row["usage_account_id"],
        row["iam_principal"],
        merge_tags(*maps),
        row.get("resource_id") or "",
    )


@lru_cache(maxsize=65_536)
def _tag_map(text: str) -> dict[str, str]:
    # A tag without a value may be NULL in the map: absent, like ''.
    return {key: value or "" for key, value in json.loads(text).items()}


def attribute(
    rules: AttributionRules, identity: Identity
) -> list[tuple[date, date, dict[str, Attributed]]]:
    """Whose the identity's lines are, for half-open intervals of usage dates that cover all time.

    For more than a few identities, `Attribution(rules).of` does the same without looking at the
    rules each time.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    return Attribution(rules).of(identity)


@dataclass(frozen=True, slots=True)
class Caller:
    """What the sources are asked about."""

    identity: Identity
    tags: Mapping[str, str]
    """Those that name somebody, as billed."""
    tags_without_case: Mapping[str, str]
    matches: Mapping[Path, Matches]
    """Of each owner list the rows that speak of the caller, on whatever day."""

    @property
    def words(self) -> str:
        """The caller for people."""
        account = self.identity.usage_account_id
        return f"{self.identity.iam_principal or NO_PRINCIPAL} in account {account}"


class Attribution:
    """The rules with their owner lists read, to ask whose an identity's lines are.

    Raises:
        OwnerListError: an owner list can't be used.
    """

    def __init__(self, rules: AttributionRules) -> None:
        self.rules = rules
        self.lists = {path: OwnerList.read(path) for path in rules.owner_lists()}
        self._sources = {
            name: list(zip(getattr(rules, name), rules.labels(name), strict=True))
            for name in DIMENSIONS
        }
        self._asked = [
            (source.owners, name)
            for name, sources in self._sources.items()
            for source, _ in sources
            if isinstance(source, OwnersSource)
        ]

    def of(self, identity: Identity) -> list[tuple[date, date, dict[str, Attributed]]]:
        """Whose the identity's lines are, for intervals of usage dates that cover all time.

        Raises:
            OwnerListError: rows of an owner list contradict each other for this identity.
        """
        caller = self.caller(identity)
        return [(start, end, self.on(caller, start)) for start, end in self._intervals(caller)]

    def caller(self, identity: Identity) -> Caller:
        """The identity with all that is looked up of it."""
        tags = {key: value for key, value in identity.tags.items() if _decides(value)}
        return Caller(
            identity,
            tags,
            _without_case(tags),
            {
                path: owners.matches(identity.usage_account_id, identity.iam_principal)
                for path, owners in self.lists.items()
            },
        )

    def on(self, caller: Caller, day: date) -> dict[str, Attributed]:
        """Whose the caller's lines of a day are.

        Raises:
            OwnerListError: rows of an owner list contradict each other for this caller.
        """
        # Every list is asked, whatever comes before it: rows that contradict each other are to be
        # corrected even while a tag decides.
        chosen = {
            (path, name): self.lists[path].choose(caller.matches[path], name, day, caller.words)
            for path, name in self._asked
        }
        return {name: self._decide(name, caller, chosen) for name in DIMENSIONS}

    def cuts(self) -> list[date]:
        """The days on which any row of an owner list begins or ends, and the first of all."""
        rows = (row for owners in self.lists.values() for row in owners.rows)
        return sorted({date.min, *cuts(rows)})

    def _intervals(self, caller: Caller) -> Iterator[tuple[date, date]]:
        days = {*ALWAYS}
        for path, matches in caller.matches.items():
            days |= self.lists[path].cuts(matches)
        return pairwise(sorted(days))

    def _decide(
        self, name: str, caller: Caller, chosen: Mapping[tuple[Path, str], Choice | None]
    ) -> Attributed:
        for source, label in self._sources[name]:
            owner = chosen[source.owners, name] if isinstance(source, OwnersSource) else None
            value = owner.row.values[name] if owner else _ask(source, caller)
            if _decides(value):
                return Attributed(value, label, owner)
        return Attributed(UNALLOCATED, "")


def _decides(value: str) -> bool:
    """Whether a value names anybody: spaces alone don't, and nobody is called UNALLOCATED."""
    return bool(value.strip()) and value != UNALLOCATED


def _ask(source: AttributionSource, caller: Caller) -> str:
    if source == "account":
        return caller.identity.usage_account_id
    if isinstance(source, str):
        return _tag(source, caller.tags, caller.tags_without_case)
    if isinstance(source, PatternSource):
        return value_in(source.pattern, _text(source, caller.identity))
    if isinstance(source, AccountSource):
        return source.account.get(caller.identity.usage_account_id, "")
    return ""


def _label(source: AttributionSource) -> str:
    if isinstance(source, PatternSource):
        return f"pattern on {source.on}"
    if isinstance(source, OwnersSource):
        return "owner list"
    return source if isinstance(source, str) else "account"


def _tag(key: str, as_billed: Mapping[str, str], without_case: Mapping[str, str]) -> str:
    """The key as spelled first, then in any case, then as CUR prefixes user-defined keys."""
    for spelling, folded in _spellings(key):
        value = as_billed.get(spelling) or without_case.get(folded, "")
        if value:
            return value
    return ""


@lru_cache(maxsize=1024)
def _spellings(key: str) -> list[tuple[str, str]]:
    prefix, _, rest = key.partition("/")
    spellings = [key]
    if prefix.lower() == "resourcetags":
        spellings += [f"{prefix}/user_{rest}", f"{prefix}/user:{rest}"]
    return [(spelling, spelling.casefold()) for spelling in spellings]


def _without_case(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags by their key without case; of several the first in key order."""
    found: dict[str, str] = {}
    for key in sorted(tags):
        found.setdefault(key.casefold(), tags[key])
    return found


def _text(source: PatternSource, identity: Identity) -> str:
    if source.on == "resource":
        return identity.resource_id
    principal = read_principal(identity.iam_principal)
    texts = {"session": principal.session, "role": principal.role}
    return texts.get(source.on, principal.iam_principal)


def _is_owners(source: object) -> bool:
    return isinstance(source, OwnersSource)
