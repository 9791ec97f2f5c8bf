"""A month's amounts, what they compare with, and the ratios made of them.

Money is in one currency, tokens are single tokens; all are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chargeback.billing_period import days_in, is_over, month_of, months_until, previous_month
from chargeback.money import ZERO, per_million, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.view import View

HISTORY_MONTHS = 13
"""How far back a month is compared: to the same one of the year before."""


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """One month of a view."""

    billing_period: str
    cost: Decimal = ZERO
    usage_cost: Decimal = ZERO
    tokens: Decimal = ZERO
    token_cost: Decimal = ZERO
    input_tokens: Decimal = ZERO
    """Tokens sent to models: read in full, written to the prompt cache or read from it."""
    cache_read_tokens: Decimal = ZERO
    tenant_cost: Decimal = ZERO

    @property
    def cost_per_million(self) -> Decimal | None:
        """Effective cost of a million tokens, or None without tokens."""
        return per_million(self.token_cost, self.tokens)

    @property
    def cache_read_share(self) -> Decimal | None:
        """How much of what was sent to models came from the prompt cache; None without tokens."""
        return share_of(self.cache_read_tokens, self.input_tokens)

    @property
    def tenant_share(self) -> Decimal | None:
        """How much of the cost is attributed to a tenant; None without cost."""
        return share_of(self.tenant_cost, self.cost)


@dataclass(frozen=True, slots=True)
class SoFar:
    """The complete days of an open month, against the same days of the month before."""

    usage: Decimal
    """In currency. Tax, fees and credits are left out: they have no day of their own."""
    previous_usage: Decimal
    tokens: Decimal
    previous_tokens: Decimal
    run_rate: Decimal
    """What the whole month comes to if its usage goes on at the pace of its complete days: tax and
    discounts grow with usage, fees and credits stand as they are."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A month against the one before it and against itself so far."""

    month: MonthTotals
    previous: MonthTotals | None
    """None when the store does not hold the month before."""
    history: list[MonthTotals]
    """Up to thirteen months, oldest first, the month itself last."""
    days: int
    """Complete days of an open month; all days of one that is over."""
    so_far: SoFar | None
    """None for a month that is over."""

    @property
    def has_lines(self) -> bool:
        """Whether the month has any line in view."""
        return self.month in self.history

    @property
    def is_over(self) -> bool:
        """Whether the month has all its days."""
        return self.so_far is None


def summarise(answers: Answers, view: View, today: date) -> Summary:
    """The month's figures and what they compare with."""
    history = totals_by_month(answers, view)
    known = {totals.billing_period: totals for totals in history}
    month = known.get(view.month, MonthTotals(view.month))
    previous = previous_month(view.month)
    is_stored = previous in answers.months
    days, all_days = _complete_days(answers, view.month, today), days_in(view.month)
    return Summary(
        month=month,
        previous=known.get(previous, MonthTotals(previous)) if is_stored else None,
        history=history,
        days=days,
        so_far=None if days == all_days else _so_far(answers, view, month, days),
    )


def totals_by_month(answers: Answers, view: View) -> list[MonthTotals]:
    """Up to thirteen months that have lines in view, oldest first."""
    months = months_until(view.month, HISTORY_MONTHS)
    answer = answers.ask("history", view.grain, view.since(months[0]))
    return [MonthTotals(**row) for row in answer.to_pylist()]


def _complete_days(answers: Answers, month: str, today: date) -> int:
    """How many days of the month have all their usage."""
    newest = answers.manifest(month).newest_usage_date
    if is_over(month, today) or newest is None or month_of(newest) != month:
        return days_in(month)
    return max(newest.day - 1, 1)  # the newest day is still being filled


def _so_far(answers: Answers, view: View, month: MonthTotals, days: int) -> SoFar:
    previous = previous_month(view.month)
    answer = answers.ask("month_to_date", "daily", view.since(previous), complete_days=days)
    paces = {row["billing_period"]: row for row in answer.to_pylist()}
    now, before = (paces.get(at, _NO_PACE) for at in (view.month, previous))
    return SoFar(
        usage=now["to_date"],
        previous_usage=before["to_date"],
        tokens=now["tokens_to_date"],
        previous_tokens=before["tokens_to_date"],
        run_rate=run_rate(month, now, Decimal(days_in(view.month)) / days),
    )


_NO_PACE = dict.fromkeys(("to_date", "since", "in_step", "tokens_to_date"), ZERO)


def run_rate(month: MonthTotals, pace: Mapping[str, Decimal], stretch: Decimal) -> Decimal:
    """The month's cost once its complete days are stretched to all its days."""
    ahead = pace["to_date"] * stretch - pace["to_date"] - pace["since"]
    in_step = share_of(pace["in_step"], month.usage_cost) or ZERO
    return month.cost + ahead * (1 + in_step)
