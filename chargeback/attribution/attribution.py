"""Whose a line is: the rules asked about an identity, for each day of its usage."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from chargeback.attribution.identity import TAG_MAPS, Identity
from chargeback.attribution.owner_list import Choice, Matches, OwnerList, cuts
from chargeback.attribution.patterns import value_in
from chargeback.attribution.principal import NO_PRINCIPAL, read_principal
from chargeback.attribution.rules import (
    NAMES,
    AccountSource,
    AttributionRules,
    AttributionSource,
    OwnersSource,
    PatternSource,
)
from chargeback.dimensions import UNALLOCATED

ALWAYS = (date.min, date.max)
MERGED = " (merged)"
"""Ends the name of a source where a merge rule spells its value otherwise."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A value and the name of the source that decided it; '' for UNALLOCATED."""

    value: str
    source: str
    owner: Choice | None = field(default=None, compare=False)
    """Of an owner list: the row that counted, and the one that stands first."""
    is_blank: bool = field(default=False, compare=False)
    """Whether nothing decided, but a tag that would have is there without a value."""
    others: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Tags and owner lists that would have decided otherwise: pairs of source and value."""


def attribute(
    rules: AttributionRules, identity: Identity
) -> list[tuple[date, date, dict[str, Decision]]]:
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
    blank_tags: Set[str]
    """The keys, without case, of those that name nobody."""
    matches: Mapping[Path, Matches]
    """Of each owner list the rows that speak of the caller, on whatever day."""

    @property
    def words(self) -> str:
        """The caller for people."""
        account = self.identity.usage_account_id
        return f"{self.identity.iam_principal or NO_PRINCIPAL} in account {account}"


class Attribution:
    """The rules with their owner lists read, to ask whose an identity's lines are.

    Args:
        rules: who pays.
        instead: lists to take instead of those in files.

    Raises:
        OwnerListError: an owner list can't be used.
    """

    def __init__(
        self, rules: AttributionRules, instead: Mapping[Path, OwnerList] | None = None
    ) -> None:
        self.rules = rules
        given = instead or {}
        self.lists = {
            path: given[path] if path in given else OwnerList.read(path)
            for path in rules.owner_lists()
        }
        self._sources = {
            name: list(zip(getattr(rules, name), rules.labels(name), strict=True)) for name in NAMES
        }
        self._patterns = [each for each in rules.sources() if isinstance(each, PatternSource)]
        self._spellings = {name: rules.spellings(name) for name in NAMES}
        self._asked = [
            (source.owners, name)
            for name, sources in self._sources.items()
            for source, _ in sources
            if isinstance(source, OwnersSource)
        ]

    def of(self, identity: Identity) -> list[tuple[date, date, dict[str, Decision]]]:
        """Whose the identity's lines are, for intervals of usage dates that cover all time.

        Raises:
            OwnerListError: rows of an owner list contradict each other for this identity.
        """
        caller = self.caller(identity)
        return [(start, end, self.on(caller, start)) for start, end in self._intervals(caller)]

    def question(self, row: Mapping[str, str]) -> Hashable:
        """All that is asked about a row of queries/store/identities.sql.

        Equal for callers whose lines the same units pay for, by the same sources: of millions of
        sessions of one role, which nothing tells apart, one has to be decided.
        """
        account, arn = row["usage_account_id"], row["iam_principal"]
        resource = row.get("resource_id") or ""
        return (
            account,
            *(row[each] for each in TAG_MAPS),
            *(value_in(each.pattern, _part(each, arn, resource)) for each in self._patterns),
            *(owners.matches(account, arn) for owners in self.lists.values()),
        )

    def caller(self, identity: Identity) -> Caller:
        """The identity with all that is looked up of it."""
        tags = {key: value for key, value in identity.tags.items() if _decides(value)}
        return Caller(
            identity,
            tags,
            _without_case(tags),
            _blank(identity.tags) if len(tags) < len(identity.tags) else frozenset(),
            {
                path: owners.matches(identity.usage_account_id, identity.iam_principal)
                for path, owners in self.lists.items()
            },
        )

    def on(self, caller: Caller, day: date) -> dict[str, Decision]:
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
        return {name: self._decide(name, caller, chosen) for name in NAMES}

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
    ) -> Decision:
        opinions = self._opinions(name, caller, chosen)
        first = next(opinions, None)
        if first is None:
            return Decision(UNALLOCATED, "", is_blank=self._is_blank(name, caller))
        source, found = first
        if not _is_explicit(source):
            return found
        others = tuple(
            (other.source, other.value)
            for source, other in opinions
            if _is_explicit(source) and other.value != found.value
        )
        return replace(found, others=others) if others else found

    def _opinions(
        self, name: str, caller: Caller, chosen: Mapping[tuple[Path, str], Choice | None]
    ) -> Iterator[tuple[AttributionSource, Decision]]:
        """What each source that says anything says, in the order in which they are asked."""
        for source, label in self._sources[name]:
            owner = chosen[source.owners, name] if isinstance(source, OwnersSource) else None
            value = owner.row.values[name] if owner else _ask(source, caller)
            if _decides(value):
                yield source, self._merged(name, Decision(value, label, owner))

    def _merged(self, name: str, decided: Decision) -> Decision:
        """The same under the one spelling of its value."""
        value = self._spellings[name].get(decided.value)
        if value is None:
            return decided
        return replace(decided, value=value, source=f"{decided.source}{MERGED}")

    def _is_blank(self, name: str, caller: Caller) -> bool:
        """Whether a tag that would have decided is there without a value."""
        return bool(caller.blank_tags) and any(
            folded in caller.blank_tags
            for source, _ in self._sources[name]
            if isinstance(source, str)
            for _, folded in _spellings(source)
        )


def _is_explicit(source: AttributionSource) -> bool:
    """Whether a source speaks of this very line; an account's tag speaks of all that is in it."""
    if isinstance(source, str):
        return source != "account" and not source.casefold().startswith("accounttag/")
    return isinstance(source, OwnersSource)


def _decides(value: str) -> bool:
    """Whether a value names anybody: spaces alone don't, and nobody is called UNALLOCATED."""
    return bool(value.strip()) and value != UNALLOCATED


def _ask(source: AttributionSource, caller: Caller) -> str:
    if source == "account":
        return caller.identity.usage_account_id
    if isinstance(source, str):
        return _tag(source, caller.tags, caller.tags_without_case)
    if isinstance(source, PatternSource):
        identity = caller.identity
        return value_in(source.pattern, _part(source, identity.iam_principal, identity.resource_id))
    if isinstance(source, AccountSource):
        return source.account.get(caller.identity.usage_account_id, "")
    return ""


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


def _blank(tags: Mapping[str, str]) -> Set[str]:
    return {key.casefold() for key, value in tags.items() if not _decides(value)}


def _part(source: PatternSource, iam_principal: str, resource_id: str) -> str:
    """What a pattern is matched against."""
    if source.on == "resource":
        return resource_id
    principal = read_principal(iam_principal)
    if principal.is_folded:  # no name of many sessions is a pattern's to find
        whole, _, _ = iam_principal.rpartition("/")
        return {"session": "", "role": principal.role}.get(source.on, f"{whole}/")
    texts = {"session": principal.session, "role": principal.role}
    return texts.get(source.on, principal.iam_principal)
