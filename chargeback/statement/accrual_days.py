"""Which days a bill does not hold yet, and the earlier days that stand for each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from chargeback.billing_period import days_in, month_of

WEEKS = 4
"""Of so many same weekdays the mean stands for a missing day."""
LATE = timedelta(hours=24)
"""AWS updates the report at least once a day (Cost and Usage Reports User Guide, "What are AWS Cost
and Usage Reports?"): what is written this long after a day's end holds the day."""

Gap = Mapping[date, Sequence[date]]
"""By missing day the same weekdays before all missing ones, the last first, WEEKS at most."""


def missing_days(month: str, data_as_of: datetime, stored: Collection[str]) -> Gap:
    """The days of a month that its bill, as written at `data_as_of`, does not hold whole.

    Args:
        month: YYYY-MM.
        data_as_of: when AWS last wrote the month.
        stored: the months whose days can stand for others.
    """
    missing = [day for day in _days_of(month) if data_as_of < _end_of(day) + LATE]
    return _with_weekdays(missing, stored)


def last_days(month: str, count: int, stored: Collection[str]) -> Gap:
    """The same, as if the last `count` days of the month were missing."""
    return _with_weekdays(_days_of(month)[-count:], stored)


def all_days(gap: Gap) -> set[date]:
    """The missing days and those that stand for them."""
    return {*gap, *(day for weekdays in gap.values() for day in weekdays)}


def _days_of(month: str) -> list[date]:
    return [date.fromisoformat(f"{month}-{day:02d}") for day in range(1, days_in(month) + 1)]


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _with_weekdays(missing: Sequence[date], stored: Collection[str]) -> Gap:
    return {day: _weekdays(day, missing[0], stored) for day in missing}


def _weekdays(day: date, first_missing: date, stored: Collection[str]) -> list[date]:
    """A month that is not stored says nothing of its days; in one that is, no usage is a zero."""
    weeks_inside = (day - first_missing).days // 7
    before = [day - timedelta(weeks=weeks_inside + at) for at in range(1, WEEKS + 1)]
    return [each for each in before if month_of(each) in stored]
