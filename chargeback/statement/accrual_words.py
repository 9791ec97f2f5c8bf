"""What is said of an accrual, on the Close page and at the command line alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from chargeback.formats import count, day_name, money, month_name, percent, signed_percent
from chargeback.money import exact_sum, share_of
from chargeback.statement.accrual import Accrual
from chargeback.statement.accrual_accuracy import PastAccrual
from chargeback.statement.accrual_days import WEEKS


def said(accrual: Accrual) -> Iterator[str]:
    """What is accrued, and how much of it is an estimate, in each currency."""
    if not accrual.gap:
        yield "every day is billed: nothing is estimated."
        return
    first, last = min(accrual.gap), max(accrual.gap)
    days = day_name(first) if first == last else f"{day_name(first)} to {day_name(last)}"
    for currency in accrual.currencies:
        estimated, accrued = accrual.estimated(currency), accrual.accrued(currency)
        yield (
            f"of {money(accrued, currency)} accrued, {money(estimated, currency)} is estimated, "
            f"for {days}. Tax, discounts, credits and fees are as billed so far."
        )
    fewest, _ = accrual.weekdays
    if fewest < WEEKS:
        yield (
            f"an estimate is the mean of the last {WEEKS} same weekdays; for some days only "
            f"{fewest} of them {'is' if fewest == 1 else 'are'} stored."
        )


def accuracy(past: Sequence[PastAccrual]) -> Iterator[str]:
    """How far off accruals of past months would have been, in each currency; of `in_total`."""
    for currency in sorted({each.currency for each in past}):
        mine = [each for each in past if each.currency == currency]
        worst = max(mine, key=lambda each: abs(each.ratio or Decimal()))
        off = share_of(
            exact_sum(abs(each.difference) for each in mine),
            exact_sum(each.billed for each in mine),
        )
        yield (
            f"with the last {count(worst.days, 'day')} missing, accruals of "
            f"{count(len(mine), 'past month')} in {currency} would have been off by "
            f"{percent(off)} of the bill on average, {signed_percent(worst.ratio)} at worst "
            f"({month_name(worst.billing_period)})."
        )
