"""Billing periods, months spelled YYYY-MM, and moments; all in UTC, in which AWS bills."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator

from chargeback.errors import UsageProblem


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcMoment = Annotated[datetime, AfterValidator(_in_utc)]
"""In Python's own UTC: pydantic_core 2's time zones can crash a program that ends while some are
part of a cycle of objects."""


def today() -> date:
    """The date in UTC."""
    return datetime.now(UTC).date()


def now() -> datetime:
    """This second in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def month_of(day: date) -> str:
    """The billing period that a day is in."""
    return f"{day:%Y-%m}"


def check_month(month: str) -> str:
    """`month` itself if it is spelled YYYY-MM. Raises UsageProblem otherwise."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageProblem(f"{month!r} is not a month.", todo="Write it as YYYY-MM: 2026-10.")
    return month


def previous_month(month: str) -> str:
    """The billing period before `month`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"


def months_until(month: str, count: int) -> list[str]:
    """The last `count` billing periods up to `month`, oldest first."""
    months = [month]
    while len(months) < count:
        months.insert(0, previous_month(months[0]))
    return months


def days_in(month: str) -> int:
    """How many days the billing period has."""
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]


def first_of_next(day: date) -> date:
    """The first day of the month after a day's."""
    return date.fromordinal(day.replace(day=1).toordinal() + days_in(month_of(day)))


def is_over(month: str, today: date) -> bool:
    """Whether all days of the billing period have passed."""
    return month < month_of(today)
