"""How far off accruals of past months would have been, held against their bills as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from chargeback.billing_period import days_in, month_of
from chargeback.dimensions import CHARGED
from chargeback.money import CENT, exact_sum, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.usage_days import usage_days
from chargeback.reports.view import View
from chargeback.statement.accrual import Accrual
from chargeback.statement.accrual_allocation import allocated, holders
from chargeback.statement.accrual_days import Gap, all_days, last_days, missing_days
from chargeback.statement.accrual_estimate import (
    Usage,
    estimates,
    rounded,
    usage_by_day,
    used_on,
    without,
)
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, Statement, build_statement

MONTHS = 12
"""How many past months are looked at."""
USUAL_DAYS = 2
"""How many days are missing when a month is accrued on the first days of the next; this many are
left out of past months where none is missing now."""
ALL_UNITS = ""


@dataclass(frozen=True, slots=True)
class PastAccrual:
    """What would have been accrued for a unit had the last days been missing; cents."""

    billing_period: str
    days: int
    """How many of its last days are taken as missing."""
    currency: str
    bill_to: str
    """ALL_UNITS where it is all of the month."""
    billed: Decimal
    """What the month's statement charges now."""
    difference: Decimal
    """What the estimate comes to, less the usage that was billed of those days."""

    @property
    def accrued(self) -> Decimal:
        """What would have been accrued."""
        return self.billed + self.difference

    @property
    def ratio(self) -> Decimal | None:
        """The difference as a share of what is billed; None without."""
        return share_of(self.difference, self.billed)


def days_missing(accrual: Accrual) -> int:
    """How many days to leave out of past months, so that they compare with an accrual."""
    return len(accrual.gap) or USUAL_DAYS


def past_accruals(  # noqa: PLR0913
    answers: Answers,
    view: View,
    by: str,
    today: date,
    allocation: AllocationSettings = DIRECT,
    *,
    days: int,
) -> list[PastAccrual]:
    """Of up to twelve complete months before the view's, each unit's accrual against its bill.

    Only the usage of the last days is taken away: a late credit, or tax that came with the invoice,
    is in both amounts.

    Args:
        answers: the figures.
        view: all of the month that is accrued now, as the reader may see it.
        by: a key of CHARGED.
        today: the date in UTC.
        allocation: what follows usage, and the rules.
        days: how many of a month's last days are taken as missing.
    """
    gaps = {
        month: last_days(month, min(days, days_in(month)), answers.months)
        for month in _complete_months(answers, view.month)
    }
    known = {day for gap in gaps.values() for day in all_days(gap)}
    first = min((*map(month_of, known), *gaps), default=view.month)
    rows = usage_days(answers, view.since(first), CHARGED[by].name, known)
    usage = usage_by_day(rows, "unit")
    return [
        past
        for month, gap in gaps.items()
        for past in _of_month(
            build_statement(answers, replace(view, month=month), by, today, allocation), usage, gap
        )
    ]


def in_total(past: Iterable[PastAccrual]) -> list[PastAccrual]:
    """All units of each month and currency together."""
    found = []
    for (month, currency, days), units in groupby(sorted(past, key=_month_of), key=_month_of):
        each = list(units)
        billed = exact_sum(unit.billed for unit in each)
        difference = exact_sum(unit.difference for unit in each)
        found.append(PastAccrual(month, days, currency, ALL_UNITS, billed, difference))
    return found


def _month_of(past: PastAccrual) -> tuple[str, str, int]:
    return past.billing_period, past.currency, past.days


def _complete_months(answers: Answers, before: str) -> list[str]:
    """The newest months before one that have all their days, oldest first."""
    complete = [
        month
        for month in sorted(answers.months)
        if month < before and not missing_days(month, answers.manifest(month).data_as_of, ())
    ]
    return complete[-MONTHS:]


def _of_month(statement: Statement, usage: dict[str, Usage], gap: Gap) -> Iterator[PastAccrual]:
    for currency in statement.bill:
        off = _differences(statement, currency, usage.get(currency, {}), gap)
        billed = {c.bill_to: c.total for c in statement.charges if c.currency == currency}
        for unit in (*billed, *(unit for unit in off if unit not in billed and off[unit])):
            yield PastAccrual(
                billing_period=statement.billing_period,
                days=len(gap),
                currency=currency,
                bill_to=unit,
                billed=billed.get(unit, CENT * 0),
                difference=off.get(unit, CENT * 0),
            )


def _differences(statement: Statement, currency: str, usage: Usage, gap: Gap) -> dict[str, Decimal]:
    """By unit: what would have been estimated, less what was used, in cents."""
    likely, came = estimates(without(usage, gap), gap), used_on(usage, gap)
    exact = {unit: likely[unit] - came[unit] for unit in usage}
    return rounded(allocated(exact, holders(statement, currency)))
