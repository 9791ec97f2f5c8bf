"""Whose a line is: an ordered list of sources per dimension; the first non-empty value wins.

In chargeback.toml:

    [attribution]
    team = ["iamPrincipal/team", "resourceTags/team", { owners = "owners.csv" }, "account"]
    tenant = ["iamPrincipal/tenant", { pattern = "^tenant-(?P<value>.+)$", on = "session" }]
    cost_center = ["iamPrincipal/cost-center", { account = { "111122223333" = "CC-100" } }]

A plain text with a `/` is a tag key; `account` is the usage account's id itself.

Values that are spelled in several ways are merged, whichever source gives them:

    [attribution.merge]
    team = { "Team-A" = ["team_a", "TEAM A"] }
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    field_validator,
)

from chargeback.attribution.owner_list import OwnerList
from chargeback.attribution.owners import OwnerListError
from chargeback.attribution.patterns import compiled
from chargeback.dimensions import ATTRIBUTED, UNALLOCATED

NAMES = tuple(dimension.name for dimension in ATTRIBUTED)
"""Of the dimensions that the rules decide."""


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


Merge = dict[str, dict[str, list[str]]]
"""By dimension and value: the other ways in which the value is spelled."""


class _Rules(BaseModel):
    """The sources of each dimension, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    merge: Merge = Field(default_factory=dict)

    @field_validator("merge")
    @classmethod
    def _is_one_value(cls, merge: Merge) -> Merge:
        if unknown := sorted(set(merge) - set(NAMES)):
            raise ValueError(f"{unknown[0]} can't be merged, only {', '.join(NAMES)}")
        for values in merge.values():
            _check_spellings(values)
        return merge

    def spellings(self, dimension: str) -> dict[str, str]:
        """Which value each other spelling of a dimension's values stands for."""
        merged = self.merge.get(dimension, {})
        return {spelled: value for value, all_of in merged.items() for spelled in all_of}

    def describe(self) -> dict[str, Any]:
        """The rules as plain values, for manifests."""
        return self.model_dump(mode="json", exclude=None if self.merge else {"merge"})

    def fingerprint(self) -> str:
        """Equal for equal rules: of an owner list counts what decides, not where it lies.

        Raises:
            OSError: an owner list is there, but can't be read.
        """
        lists = {str(path): _what_decides(path) for path in self.owner_lists()}
        said_of = self.describe()
        sources: dict[str, Any] = {
            name: [
                lists[str(s.owners)] if _is_owners(s) else said
                for s, said in zip(getattr(self, name), said_of[name], strict=True)
            ]
            for name in NAMES
        }
        if self.merge:
            sources["merge"] = said_of["merge"]
        return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:16]

    def tag_keys(self) -> dict[str, list[str]]:
        """The tag keys that each dimension asks for."""
        return {
            name: [key for key in getattr(self, name) if isinstance(key, str) and "/" in key]
            for name in NAMES
        }

    def owner_lists(self) -> list[Path]:
        """The files of owner lists, each once."""
        return sorted({source.owners for source in self.sources() if _is_owners(source)})

    def asked_of(self, owners: Path) -> list[str]:
        """The dimensions for which an owner list is asked."""
        return [name for name in NAMES if OwnersSource(owners=owners) in getattr(self, name)]

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
        return [source for name in NAMES for source in getattr(self, name)]


if TYPE_CHECKING:

    class AttributionRules(_Rules):
        """What type checkers see of the model below."""

        def __init__(self, **sources: object) -> None: ...

        def __getattr__(self, dimension: str) -> list[Any]: ...

else:  # a field for each dimension that the table of dimensions says has rules
    AttributionRules = create_model(
        "AttributionRules",
        __base__=_Rules,
        __doc__=_Rules.__doc__,
        **{
            dimension.name: (list[AttributionSource], Field(default=[dimension.tag]))
            for dimension in ATTRIBUTED
        },
    )


def _what_decides(path: Path) -> str:
    """Digest of what a list says of who pays; of one that can't be used, of its bytes."""
    try:
        return OwnerList.read(path).fingerprint
    except OwnerListError:  # whoever reads a line by it is told
        return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()


def _check_spellings(values: Mapping[str, Sequence[str]]) -> None:
    """Raises ValueError where a spelling would stand for two values, or for none."""
    known: dict[str, str] = {}
    for value, spelled in values.items():
        if not value.strip() or value == UNALLOCATED:
            raise ValueError(f"{value!r} names nobody")
        for each in spelled:
            if each in values:
                raise ValueError(
                    f"{each!r} is a value itself, and can't be a spelling of {value!r}"
                )
            if known.setdefault(each, value) != value:
                raise ValueError(f"{each!r} is a spelling of both {known[each]!r} and {value!r}")


def _label(source: AttributionSource) -> str:
    if isinstance(source, PatternSource):
        return f"pattern on {source.on}"
    if isinstance(source, OwnersSource):
        return "owner list"
    return source if isinstance(source, str) else "account"


def _is_owners(source: object) -> bool:
    return isinstance(source, OwnersSource)
