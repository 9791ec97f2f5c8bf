"""Which row of an owner list speaks for a caller: the more specific one, for each dimension."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from chargeback.attribution.owners import OwnerListError, OwnerRow, owners_in, read_content
from chargeback.attribution.principal_pattern import PATTERN, names_of
from chargeback.attribution.star_pattern import STAR, StarPattern, star_pattern


class Specificity(NamedTuple):
    """How closely a row names a caller; the greater counts."""

    kind: int
    """As in principal_pattern.py; 0: the account alone."""
    literals: int
    """Of a pattern, the characters that stand for themselves."""
    with_account: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A row, by its place in the list, that speaks of a caller."""

    row: int
    specificity: Specificity


Matches = tuple[Match, ...]
"""In file order."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The row that counts, and the one that the order of the file alone would have given."""

    file: str
    row: OwnerRow
    first: OwnerRow

    def differs(self, dimension: str) -> bool:
        """Whether the order of the file would have given another owner."""
        return self.row.values[dimension] != self.first.values[dimension]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rows that are equally specific and name different owners for one caller."""

    one: OwnerRow
    two: OwnerRow


class OwnerList:
    """The rows of a list, found by what they name.

    Args:
        name: the file's, for people.
        rows: in file order.
    """

    def __init__(self, name: str, rows: Sequence[OwnerRow]) -> None:
        self.name = name
        self.rows = tuple(rows)
        self._patterns = _by_beginning(rows)
        self._lengths = sorted({len(beginning) for beginning in self._patterns})
        self._exact = _by(row.iam_principal for row in rows)
        self._accounts = _by("" if row.iam_principal else row.usage_account_id for row in rows)
        self._fitting = lru_cache(maxsize=65_536)(self._that_fit)
        self.find = lru_cache(maxsize=65_536)(self._choice_or_conflict)
        """What `choose` does, with rows that contradict each other as a value."""

    @classmethod
    def read(cls, path: Path) -> OwnerList:
        """The list in a file; it is understood anew where the file has changed.

        Raises:
            OwnerListError: the file can't be used.
        """
        return _read(path.name, read_content(path))

    @cached_property
    def fingerprint(self) -> str:
        """Of all that decides or is told of the rows, their lines included; notes are neither."""
        decides = [
            (row.line, row.iam_principal, row.usage_account_id, sorted(row.values.items()), *dates)
            for row in self.rows
            for dates in [(str(row.effective_from), str(row.effective_to))]
        ]
        return sha256(json.dumps(decides).encode()).hexdigest()

    def matches(self, account: str, iam_principal: str) -> Matches:
        """The rows that speak of a caller, on whatever day."""
        found = {number: Specificity(0, 0, True) for number in self._accounts.get(account, ())}
        if iam_principal:
            found |= self._that_name(iam_principal)
        return tuple(
            Match(number, found[number])
            for number in sorted(found)
            if self.rows[number].usage_account_id in ("", account)
        )

    def cuts(self, matches: Matches) -> set[date]:
        """The days on which another of these rows may begin to count."""
        return cuts(self.rows[match.row] for match in matches)

    def owner_email(self, account: str, iam_principal: str, on: date) -> str:
        """Whom to ask about a caller: what the most specific row says that says it; '' for none."""
        rows = [
            (match.specificity, self.rows[match.row])
            for match in self.matches(account, iam_principal)
        ]
        said = [
            (how, row.owner_email) for how, row in rows if row.owner_email and row.is_in_force(on)
        ]
        return max(said, key=lambda each: each[0])[1] if said else ""

    def choose(self, matches: Matches, dimension: str, on: date, caller: str) -> Choice | None:
        """The row that says who pays; None where none does.

        Raises:
            OwnerListError: rows that are equally specific name different owners.
        """
        found = self.find(matches, dimension, on)
        if isinstance(found, Conflict):
            raise self._undecided(found, dimension, caller)
        return found

    def _that_name(self, iam_principal: str) -> Mapping[int, Specificity]:
        names = names_of(iam_principal)
        found = {number: self._of_pattern(number) for arn in names for number in self._fitting(arn)}
        for arn, kind in names.items():
            for number in self._exact.get(arn, ()):
                found[number] = Specificity(kind, 0, bool(self.rows[number].usage_account_id))
        return found

    def _of_pattern(self, number: int) -> Specificity:
        row = self.rows[number]
        literals = star_pattern(row.iam_principal).literals
        return Specificity(PATTERN, literals, bool(row.usage_account_id))

    def _that_fit(self, arn: str) -> tuple[int, ...]:
        """The patterns that an ARN fits; only those that begin as it does are tried."""
        return tuple(
            number
            for length in self._lengths
            for number, pattern in self._patterns.get(arn[:length], ())
            if pattern.matches(arn)
        )

    def _choice_or_conflict(
        self, matches: Matches, dimension: str, on: date
    ) -> Choice | Conflict | None:
        known = [
            (match.specificity, row)
            for match in matches
            if dimension in (row := self.rows[match.row]).values and row.is_in_force(on)
        ]
        if not known:
            return None
        best = max(specificity for specificity, _ in known)
        row, *others = (row for specificity, row in known if specificity == best)
        for other in others:
            if other.values[dimension] != row.values[dimension]:
                return Conflict(row, other)
        return Choice(self.name, row, first=known[0][1])

    def _undecided(self, conflict: Conflict, dimension: str, caller: str) -> OwnerListError:
        one, two = conflict.one, conflict.two
        return OwnerListError(
            f"{self.name}: lines {one.line} and {two.line} name different owners ({dimension} "
            f"{one.values[dimension]} and {two.values[dimension]}) for {caller}, and neither is "
            "more specific.",
            "It is not clear who pays for it.",
            "Make one of the lines more specific, or end one where the other begins.",
        )


def cuts(rows: Iterable[OwnerRow]) -> set[date]:
    """The days on which rows begin or end."""
    return {day for row in rows for day in (row.effective_from, row.effective_to)}


@lru_cache(maxsize=8)
def _read(name: str, content: bytes) -> OwnerList:
    return OwnerList(name, owners_in(name, content))


def _by(keys: Iterable[str]) -> Mapping[str, list[int]]:
    """The places of rows by a key; '' and patterns are none."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        if key and STAR not in key:
            found[key].append(number)
    return dict(found)


def _by_beginning(rows: Iterable[OwnerRow]) -> Mapping[str, list[tuple[int, StarPattern]]]:
    """Patterns with their places, by what stands before their first star."""
    found: dict[str, list[tuple[int, StarPattern]]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row.is_pattern:
            pattern = star_pattern(row.iam_principal)
            found[pattern.before].append((number, pattern))
    return dict(found)
