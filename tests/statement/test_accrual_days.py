"""Which days are missing, and which stand for them, on a calendar one can look up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.billing_period import days_in, first_of_next, month_of, months_until
from chargeback.statement.accrual_days import WEEKS, all_days, last_days, missing_days

STORED = months_until("2026-12", 24)


def october(*days: int) -> list[date]:
    return [date(2026, 10, day) for day in days]


def test_a_day_is_missing_until_the_bill_is_written_a_day_after_its_end() -> None:
    # The 29th ends at midnight before the 30th; 24 hours later the 31st begins.
    before = missing_days("2026-10", datetime(2026, 10, 30, 23, 59, tzinfo=UTC), STORED)
    after = missing_days("2026-10", datetime(2026, 10, 31, 0, 0, tzinfo=UTC), STORED)
    assert list(before) == october(29, 30, 31)
    assert list(after) == october(30, 31)


def test_the_same_weekdays_before_the_gap_stand_for_a_missing_day() -> None:
    gap = missing_days("2026-10", datetime(2026, 10, 30, 6, tzinfo=UTC), STORED)
    # In October 2026 the 29th is a Thursday.
    assert gap[date(2026, 10, 29)] == october(22, 15, 8, 1)
    assert gap[date(2026, 10, 31)] == october(24, 17, 10, 3)
    assert all_days(gap) == {*october(29, 30, 31, 22, 15, 8, 1, 23, 16, 9, 2, 24, 17, 10, 3)}


def test_days_of_the_month_before_stand_for_days_early_in_a_month() -> None:
    gap = missing_days("2026-10", datetime(2026, 10, 3, 6, tzinfo=UTC), STORED)
    assert list(gap) == october(*range(2, 32))
    fridays = [date(2026, 9, day) for day in (25, 18, 11, 4)]
    assert gap[date(2026, 10, 2)] == gap[date(2026, 10, 30)] == fridays
    # The 1st is no longer missing: it is the last of the Thursdays before the gap.
    assert gap[date(2026, 10, 29)] == [*october(1), *(date(2026, 9, day) for day in (24, 17, 10))]


def test_a_month_that_is_not_stored_says_nothing_of_its_days() -> None:
    gap = missing_days("2026-10", datetime(2026, 10, 10, 6, tzinfo=UTC), ["2026-10"])
    assert gap[date(2026, 10, 9)] == october(2)
    assert gap[date(2026, 10, 12)] == october(5)
    assert (
        missing_days("2026-10", datetime(2026, 10, 1, tzinfo=UTC), ["2026-10"])[date(2026, 10, 7)]
        == []
    )


@pytest.mark.parametrize("month", ["2026-02", "2028-02", "2026-04", "2026-10", "2026-12"])
def test_at_the_end_of_a_month_its_last_day_is_missing(month: str) -> None:
    first = date.fromisoformat(f"{month}-01")
    end = datetime.combine(first_of_next(first), datetime.min.time(), UTC)
    (missing,) = missing_days(month, end, STORED)
    assert (missing.day, month_of(missing)) == (days_in(month), month)
    assert missing_days(month, end + timedelta(days=1), STORED) == {}


@given(
    month=st.sampled_from(STORED[3:]),
    hours=st.integers(-24, 33 * 24),
    stored=st.sets(st.sampled_from(STORED)),
)
def test_what_stands_for_a_day_is_its_weekday_and_before_all_that_is_missing(
    month: str, hours: int, stored: set[str]
) -> None:
    begin = datetime.fromisoformat(f"{month}-01T00:00+00:00")
    gap = missing_days(month, begin + timedelta(hours=hours), stored)
    assert list(gap) == list(last_days(month, len(gap), stored) if gap else ())
    for day, weekdays in gap.items():
        assert len(weekdays) <= WEEKS
        assert all(each.weekday() == day.weekday() for each in weekdays)
        assert all(each < min(gap) and month_of(each) in stored for each in weekdays)
        if stored == {*STORED}:
            assert [weekdays[0] - each for each in weekdays] == [
                timedelta(weeks=at) for at in range(WEEKS)
            ]
            assert min(gap) - weekdays[0] <= timedelta(weeks=1)
