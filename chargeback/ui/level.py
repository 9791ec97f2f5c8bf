"""One level of a drill-down page: what it shows, and how what narrows it is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from chargeback.billing_period import today
from chargeback.dimensions import UNALLOCATED, page_file
from chargeback.formats import cut, date_name
from chargeback.reports.answers import Answers
from chargeback.reports.ranking import name_of, rank
from chargeback.reports.summary import Summary, summarise
from chargeback.reports.view import View
from chargeback.ui import page_context
from chargeback.ui.drill_path import CALLERS, DAY, LINES, NOUNS, DrillPath

NAMELESS: Final = "(no name)"
SHOWN_LENGTH: Final = 40
"""Characters of a name that is only one of several things in a line."""


@dataclass(frozen=True)
class Level:
    """One level of a drill-down page, with everything that its parts are drawn from."""

    context: page_context.Context
    title: str
    path: DrillPath
    view: View
    names: tuple[str, ...]
    """What people call the unit of each condition of the path."""
    passed: tuple[tuple[str, str], ...]
    """Dimension and name of what stands alone at its level: the level is passed over."""
    splits: tuple[str, ...]
    """What the reader can split by."""
    summary: Summary

    @property
    def answers(self) -> Answers:
        """The answers."""
        return self.context.answers

    @property
    def noun(self) -> str:
        """What one row of the table is."""
        return NOUNS[self.path.by]


def level_at(context: page_context.Context, title: str, path: DrillPath) -> Level:
    """The level of a page that a path leads to."""
    answers, view, names = context.answers, context.view, []
    for dimension, unit in path.at:
        names.append(name_of(answers, view, dimension, unit) or NAMELESS)
        view = view.narrowed(dimension, unit)
    splits = path.splits()
    if CALLERS in splits and path.asked != CALLERS and len(rank(answers, view, CALLERS)) <= 1:
        splits.remove(CALLERS)
    path, passed = _pass_single_rows(answers, path, view)
    summary = summarise(answers, view, today())
    return Level(context, title, path, view, tuple(names), tuple(passed), tuple(splits), summary)


def _pass_single_rows(
    answers: Answers, path: DrillPath, view: View
) -> tuple[DrillPath, list[tuple[str, str]]]:
    """Passes over levels of one row, unless the reader asked for it; says what that row was."""
    passed = []
    while not (path.is_top or path.asked or path.by in (DAY, LINES)):
        ranking = rank(answers, view, path.by)
        if len(ranking) != 1:
            break
        if path.by != CALLERS:  # the one caller of a principal is that principal
            passed.append((path.by, ranking["name"][0] or NAMELESS))
        path = replace(path, levels=tuple(x for x in path.levels if x != path.by))
    return path, passed


def short(name: str) -> str:
    """A name, cut where it is only one of several things in a line."""
    return cut(name, SHOWN_LENGTH)


def steps(level: Level) -> list[str]:
    """What people call everything that narrows the level, the widest first."""
    pairs = zip(level.path.at, level.names, strict=True)
    steps = [_step(level.path.levels, *at, name) for at, name in pairs]
    day = level.path.day
    return [*steps, date_name(day)] if day else steps


def _step(levels: Sequence[str], dimension: str, unit: str, name: str) -> str:
    """A unit's name, with what it is where the page does not say: 'cost center (unallocated)'."""
    clear = levels[:1] if unit == UNALLOCATED else levels
    return name if dimension in clear else f"{NOUNS[dimension]} {name}"


def page_of(level: Level) -> str:
    """The file of its page."""
    return page_file(level.title.lower().replace(" ", "-"))
