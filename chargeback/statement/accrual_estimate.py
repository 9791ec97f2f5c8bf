"""What missing days are likely to come to: the mean of the same weekdays before them.

Amounts are fractions until they are rounded: a mean of three, and a share, have no last digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from chargeback.money import EXACT, ZERO, cents, in_cents
from chargeback.reports.usage_days import UsageDay
from chargeback.statement.accrual_days import Gap

NOTHING = Fraction()
Key = Literal["unit", "billing_entity"]
Usage = Mapping[str, Mapping[date, Decimal]]
"""By unit, or by seller: what was used on each day, in one currency."""
Amounts = dict[str, Fraction]
"""By unit, or by seller."""


def usage_by_day(rows: Iterable[UsageDay], key: Key) -> dict[str, Usage]:
    """By currency, what each unit or each seller used on the days that the rows tell apart."""
    found: dict[str, dict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row["usage_date"]:
            days = found[row["currency"]][row[key]]
            days[row["usage_date"]] = EXACT.add(days.get(row["usage_date"], ZERO), row["cost"])
    return {currency: dict(usage) for currency, usage in found.items()}


def without(usage: Usage, days: Collection[date]) -> Usage:
    """The same usage, had nothing of some days been billed yet."""
    return {
        name: {day: cost for day, cost in known.items() if day not in days}
        for name, known in usage.items()
    }


def used_on(usage: Usage, days: Collection[date]) -> Amounts:
    """What each used on some days together."""
    return {name: _sum(known.get(day, ZERO) for day in days) for name, known in usage.items()}


def estimates(usage: Usage, gap: Gap) -> Amounts:
    """What each is likely to use on the missing days beyond what is billed of them.

    They add up to the same amount whatever the usage is cut by: all of a day is estimated first,
    and no more than that is shared among those of whom less is billed than their mean.
    """
    found = dict.fromkeys(usage, NOTHING)
    for day, weekdays in gap.items():
        for name, amount in _of_a_day(usage, day, weekdays):
            found[name] += amount
    return found


def _of_a_day(usage: Usage, day: date, weekdays: Sequence[date]) -> Iterator[tuple[str, Fraction]]:
    still_open = {name: _open(known, day, weekdays) for name, known in usage.items()}
    lacking = {name: amount for name, amount in still_open.items() if amount > 0}
    whole, parts = sum(still_open.values(), NOTHING), sum(lacking.values(), NOTHING)
    if whole > 0:
        yield from ((name, amount * whole / parts) for name, amount in lacking.items())


def _open(known: Mapping[date, Decimal], day: date, weekdays: Sequence[date]) -> Fraction:
    """The mean of the weekdays, of none zero, less what is billed of the day."""
    mean = _sum(known.get(each, ZERO) for each in weekdays) / max(len(weekdays), 1)
    return mean - Fraction(known.get(day, ZERO))


def rounded(amounts: Amounts) -> dict[str, Decimal]:
    """In cents, which add up to the sum in cents."""
    exact = [_decimal(amount) for amount in amounts.values()]
    whole = cents(_decimal(sum(amounts.values(), NOTHING)))
    return dict(zip(amounts, in_cents(exact, whole), strict=True))


def _decimal(amount: Fraction) -> Decimal:
    """To sixty digits; all of them where it has a last one."""
    return EXACT.divide(Decimal(amount.numerator), Decimal(amount.denominator))


def _sum(amounts: Iterable[Decimal]) -> Fraction:
    return sum(map(Fraction, amounts), NOTHING)
