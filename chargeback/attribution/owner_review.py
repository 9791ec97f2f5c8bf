"""What of an owner list leads nowhere, or leads to two owners, before it is saved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from chargeback.attribution.folded import role_of_session
from chargeback.attribution.owner_list import Conflict, Matches, OwnerList
from chargeback.attribution.owners import OwnerRow
from chargeback.attribution.principal import read_principal
from chargeback.attribution.principal_pattern import names_some_sessions


class Caller(NamedTuple):
    """Who is on the bill: an IAM principal, '' for none, in an account."""

    usage_account_id: str
    iam_principal: str


Span = tuple[date, date]
"""The first and the last day on which somebody called in a billing period."""
Callers = Mapping[Caller, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two equally specific rows that name different owners for somebody on the bill."""

    lines: tuple[int, int]
    dimension: str
    owners: tuple[str, str]
    caller: Caller
    """The first of them."""
    callers: int


class Idle(NamedTuple):
    """A row that moves nothing on the bill."""

    line: int
    why: Literal["no owner", "no caller", "other days"]
    """It names no owner that is asked for; nobody on the bill; or nobody on its days."""


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody should know of a list before it is saved."""

    contradictions: tuple[Contradiction, ...]
    """With any of these no figure can be told."""
    idle: tuple[Idle, ...]


def review(owners: OwnerList, asked: Collection[str], callers: Callers) -> Review:
    """What a list does to those who are on the bill.

    Args:
        owners: the list.
        asked: the dimensions that the rules ask it for.
        callers: everybody on the bill.
    """
    found = {caller: owners.matches(*caller) for caller in callers}
    return Review(
        tuple(_contradictions(owners, asked, found)),
        tuple(_idle(owners, asked, callers, found)) if callers else (),
    )


def _contradictions(
    owners: OwnerList, asked: Collection[str], found: Mapping[Caller, Matches]
) -> list[Contradiction]:
    """Each pair of rows once, in the order of their lines."""
    seen: dict[tuple[tuple[int, int], str], list[tuple[Caller, Conflict]]] = {}
    for caller, matches in found.items():
        for key, conflict in _conflicts(owners, asked, matches).items():
            seen.setdefault(key, []).append((caller, conflict))
    return [
        Contradiction(lines, dimension, _named(each[0][1], dimension), each[0][0], len(each))
        for (lines, dimension), each in sorted(seen.items(), key=lambda pair: pair[0])
    ]


def _conflicts(
    owners: OwnerList, asked: Collection[str], matches: Matches
) -> dict[tuple[tuple[int, int], str], Conflict]:
    if len(matches) < 2:
        return {}
    days = {date.min, *owners.cuts(matches)} - {date.max}
    found = (
        (dimension, owners.find(matches, dimension, day)) for day in days for dimension in asked
    )
    return {
        ((each.one.line, each.two.line), dimension): each
        for dimension, each in found
        if isinstance(each, Conflict)
    }


def _named(conflict: Conflict, dimension: str) -> tuple[str, str]:
    return conflict.one.values[dimension], conflict.two.values[dimension]


def _idle(
    owners: OwnerList, asked: Collection[str], callers: Callers, found: Mapping[Caller, Matches]
) -> Iterator[Idle]:
    met = {match.row for matches in found.values() for match in matches}
    counted = {
        match.row
        for caller, matches in found.items()
        for match in matches
        if _is_in_force(owners.rows[match.row], callers[caller])
    }
    newest = max(last for spans in callers.values() for _, last in spans)
    folded = {
        role_of_session(each.iam_principal)
        for each in callers
        if read_principal(each.iam_principal).is_folded
    }
    for number, row in enumerate(owners.rows):
        if not set(asked) & set(row.values):
            yield Idle(row.line, "no owner")
        elif number not in met and any(names_some_sessions(row.iam_principal, r) for r in folded):
            continue  # whether any of them is called so is not known
        elif number not in met:
            yield Idle(row.line, "no caller")
        elif number not in counted and row.effective_from <= newest:
            yield Idle(row.line, "other days")


def _is_in_force(row: OwnerRow, spans: Sequence[Span]) -> bool:
    """Whether the row counts on any day from somebody's first to their last in a month."""
    return any(row.effective_from <= last and first < row.effective_to for first, last in spans)
