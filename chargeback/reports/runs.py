"""What days tell of a caller: days far above its usual level, and when its prompt cache changed."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from chargeback.money import LAST_DIGIT, ZERO, exact_sum, share_of
from chargeback.reports.movement import CallerDay

FAR_ABOVE: Final = 3
"""Times the usual day, from where a day stands out."""
FEWEST_DAYS: Final = 10
"""With spend, from which a usual level can be told."""
LONGEST: Final = 10
"""Days of a run: what lasts longer is no runaway, but how the caller works now."""
CACHE_CHANGE: Final = Decimal("0.2")
"""Of the input that is read from the prompt cache, from where its use is another."""
EDGE_DAYS: Final = 5
"""At either end of two months, that say how much is read from the cache there."""
ONE_DAY: Final = timedelta(days=1)

Costs = Mapping[date, Decimal]


@dataclass(frozen=True, slots=True)
class Run:
    """Days of one month, one after the other, on which a caller spent far more than usual."""

    first: date
    last: date
    token_excess: Decimal
    """In currency, over the usual days of its kind: weekdays or weekends."""
    other_excess: Decimal
    """The same of meters that are not tokens."""

    @property
    def excess(self) -> Decimal:
        """All of it."""
        return exact_sum([self.token_excess, self.other_excess])


@dataclass(frozen=True, slots=True)
class CacheChange:
    """Since when a caller reads more or less of its input from the prompt cache."""

    since: date
    is_lost: bool


def runaways(days: Sequence[CallerDay]) -> list[Run]:
    """The runs among a caller's days of two months."""
    costs = {day.usage_date: exact_sum([day.token_cost, day.other_cost]) for day in days}
    active = [cost for cost in costs.values() if cost > 0]
    if len(active) < FEWEST_DAYS:
        return []
    usual, typical = _usual(costs), median(active)  # most days may have none, as of a weekly job
    far = [
        day
        for day, cost in sorted(costs.items())
        if cost > FAR_ABOVE * (usual[_is_weekend(day)] or typical)
    ]
    return [_run(run, days) for run in _consecutive(far) if len(run) <= LONGEST]


def cache_change(days: Sequence[CallerDay]) -> CacheChange | None:
    """When the part of the input that comes from the prompt cache changed for good."""
    used = [day for day in days if day.prompt_tokens > 0]
    edge = min(EDGE_DAYS, len(used) // 4)
    if not edge:
        return None
    before, after = _cached(used[:edge]), _cached(used[-edge:])
    if abs(after - before) < CACHE_CHANGE:
        return None
    is_like_after = [abs(_cached([d]) - after) < abs(_cached([d]) - before) for d in used]
    first = max(
        range(1, len(used)),
        key=lambda at: is_like_after[:at].count(False) + is_like_after[at:].count(True),
    )
    return CacheChange(used[first].usage_date, is_lost=after < before)


def first_day(days: Sequence[CallerDay]) -> date | None:
    """When a caller's days begin, if that is not with a month: no weekday comes before it there."""
    if not days:
        return None
    first = days[0].usage_date
    earlier = (first.replace(day=number) for number in range(1, first.day))
    return first if any(not _is_weekend(day) for day in earlier) else None


def _run(run: Sequence[date], days: Sequence[CallerDay]) -> Run:
    return Run(
        run[0],
        run[-1],
        _excess(run, {day.usage_date: day.token_cost for day in days}),
        _excess(run, {day.usage_date: day.other_cost for day in days}),
    )


def _excess(run: Sequence[date], costs: Costs) -> Decimal:
    usual = _usual(costs)
    over = exact_sum(costs[day] - usual[_is_weekend(day)] for day in run)
    return over.quantize(LAST_DIGIT)


def _usual(costs: Costs) -> dict[bool, Decimal]:
    """The middle day, of weekends and of weekdays, from the first day to the last."""
    first, last = min(costs), max(costs)
    all_days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
    return {
        weekend: median([costs.get(day, ZERO) for day in all_days if _is_weekend(day) is weekend])
        if any(_is_weekend(day) is weekend for day in all_days)
        else ZERO
        for weekend in (True, False)
    }


def _consecutive(days: Sequence[date]) -> Iterator[list[date]]:
    """Days that follow each other within a month."""
    run: list[date] = []
    for day in days:
        if run and (day - run[-1] != ONE_DAY or day.day == 1):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _is_weekend(day: date) -> bool:
    return day.weekday() >= calendar.SATURDAY


def _cached(days: Sequence[CallerDay]) -> Decimal:
    read = exact_sum(day.cache_read_tokens for day in days)
    return share_of(read, exact_sum(day.prompt_tokens for day in days)) or ZERO
