"""Where a reader stands on the way down, and how that is written in the page's address.

A path is a list of conditions (`tenant` is acme-corp, `team` is payments) and what the table below
them splits by. Parameters of the address: `at`, repeated, each `dimension:value`; `by`, only where
it isn't what comes next anyway; `day`; `page`, counted from 1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from chargeback.dimensions import BY_NAME, DIMENSIONS
from chargeback.reports.view import View

DAY, LINES = "day", "lines"
CALLERS = "iam_principal"
AT, BY, ON_DAY, PAGE = PARAMETERS = ("at", "by", "day", "page")

NOUNS = {dimension.name: dimension.noun for dimension in DIMENSIONS} | {
    DAY: "day",
    LINES: "CUR line",
}
"""What one unit of each split is called."""

OFFERED = (*(dimension.name for dimension in DIMENSIONS if dimension.is_split), DAY, LINES)
"""What a reader can split by, beside a page's own levels."""


@dataclass(frozen=True, slots=True)
class DrillPath:
    """One level of the way down."""

    levels: tuple[str, ...]
    """Dimensions in the order in which they follow each other, the page's own first; days and CUR
    lines come after them."""
    at: tuple[tuple[str, str], ...] = ()
    """Conditions, the widest first: dimension and value."""
    asked: str = ""
    """What to split by, if the reader chose; '' for what comes next."""
    day: date | None = None
    """The day (UTC) whose CUR lines are shown, or None."""
    page: int = 0
    """The page of CUR lines, counted from 0."""

    @property
    def is_top(self) -> bool:
        """Whether the whole month is in view."""
        return not self.at and self.day is None

    @property
    def by(self) -> str:
        """What the table splits by."""
        if self.day is not None:
            return LINES
        return self.asked if self.asked and not self.is_top else self.next_split()

    @property
    def key(self) -> str:
        """Tells the widgets of one place from those of another."""
        said = "\n".join((*self.levels, *_texts(self.at), self.by, str(self.day), str(self.page)))
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def next_split(self, skipped: str = "") -> str:
        """What follows the last condition, if nothing else is asked for."""
        fixed = [dimension for dimension, _ in self.at]
        after = self.levels.index(fixed[-1]) + 1 if self.at and fixed[-1] in self.levels else 0
        follows = (*self.levels[after:], DAY, LINES)
        return next(split for split in follows if split not in (*fixed, skipped))

    def splits(self) -> list[str]:
        """What can be split by here: the page's own levels first, what is fixed left out."""
        fixed = dict(self.at)
        told_apart = "principal" in fixed or self.asked == CALLERS
        hidden = {*fixed} if told_apart else {*fixed, CALLERS}
        return [split for split in dict.fromkeys((*self.levels, *OFFERED)) if split not in hidden]

    def down(self, unit: str) -> DrillPath:
        """One level further down, at a unit of the table."""
        if self.by == DAY:
            return replace(self, day=date.fromisoformat(unit), asked="", page=0)
        return DrillPath(self.levels, (*self.at, (self.by, unit)))

    def up_to(self, count: int) -> DrillPath:
        """The level with only the first `count` conditions."""
        return DrillPath(self.levels, self.at[:count])

    def split_by(self, split: str) -> DrillPath:
        """The same conditions, split by something else."""
        return DrillPath(self.levels, self.at, "" if split == self.next_split() else split)

    def turned_to(self, page: int) -> DrillPath:
        """Another page of the same CUR lines."""
        return replace(self, page=page)

    def narrow(self, view: View) -> View:
        """What `view` shows here; a day is not part of it."""
        for dimension, value in self.at:
            view = view.narrowed(dimension, value)
        return view

    def parameters(self) -> dict[str, list[str]]:
        """This place in an address; an empty list where a parameter does not stand in it."""
        return {
            AT: _texts(self.at),
            BY: [self.asked] if self.asked else [],
            ON_DAY: [self.day.isoformat()] if self.day else [],
            PAGE: [str(self.page + 1)] if self.page else [],
        }


def read_path(
    levels: Sequence[str], parameters: Mapping[str, Sequence[str]]
) -> tuple[DrillPath, list[str]]:
    """The place that an address names, and what of it means nothing here."""
    at, ignored = _conditions(parameters.get(AT, ()))
    place = DrillPath(tuple(levels), at)
    for text in parameters.get(BY, ()):
        if text.lower() in {*place.levels, *OFFERED} - dict(at).keys():
            place = replace(place, asked=text.lower())
        else:
            ignored.append(text)
    for text in parameters.get(ON_DAY, ()):
        if day := _day(text):
            place = replace(place, day=day)
        else:
            ignored.append(text)
    for text in parameters.get(PAGE, ()):
        if re.fullmatch(r"[1-9][0-9]{0,5}", text):
            place = place.turned_to(int(text) - 1)
        else:
            ignored.append(text)
    return place, ignored


def _conditions(texts: Iterable[str]) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    at: dict[str, str] = {}
    ignored = []
    for text in texts:
        dimension, colon, value = text.partition(":")
        dimension = dimension.lower()
        if colon and dimension in BY_NAME and dimension not in at:
            at[dimension] = value
        else:
            ignored.append(text)
    return tuple(at.items()), ignored


def _texts(at: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{dimension}:{value}" for dimension, value in at]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
