"""An accrual: what an open month is likely to come to, before its bill is complete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chargeback.billing_period import month_of
from chargeback.dimensions import CHARGED, UNALLOCATED, unallocated_last
from chargeback.errors import Problem
from chargeback.money import CENT, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.usage_days import UsageDay, usage_days
from chargeback.reports.view import View
from chargeback.statement.accrual_allocation import allocated, holders
from chargeback.statement.accrual_days import WEEKS, Gap, all_days, missing_days
from chargeback.statement.accrual_estimate import Amounts, estimates, rounded, usage_by_day
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, MONEY, Statement, build_statement, no_charge

_TAX = MONEY.index("tax_amount")
_ZERO = CENT * 0

Cents = dict[tuple[str, str], Decimal]
"""By currency, and unit or seller."""


@dataclass(frozen=True, slots=True)
class AccrualLine:
    """What is accrued for one unit; cents of its currency."""

    bill_to: str
    cost_center: str
    currency: str
    actual: Decimal
    """What the statement charges of the bill as it is."""
    tax: Decimal
    """Of it."""
    estimated: Decimal
    """Usage of the missing days, beyond what is billed of them."""

    @property
    def accrued(self) -> Decimal:
        """Actual and estimated."""
        return self.actual + self.estimated


@dataclass(frozen=True, slots=True)
class Accrual:
    """All lines of a month's accrual, `(unallocated)` last in each currency."""

    statement: Statement
    """Of the bill as it is, not complete."""
    gap: Gap
    """The missing days; of none, nothing is estimated."""
    lines: tuple[AccrualLine, ...]
    sellers: Mapping[tuple[str, str], Decimal]
    """What is accrued by currency and billing entity, in cents; it adds up to the lines."""

    @property
    def weekdays(self) -> tuple[int, int]:
        """Of how many same weekdays a missing day's mean is: the fewest and the most."""
        counts = [len(weekdays) for weekdays in self.gap.values()] or [WEEKS]
        return min(counts), max(counts)

    @property
    def currencies(self) -> list[str]:
        """Those accrued in, in order."""
        return sorted({line.currency for line in self.lines})

    def accrued(self, currency: str) -> Decimal:
        """All that is accrued in one currency."""
        return exact_sum(each.accrued for each in self.lines if each.currency == currency)

    def estimated(self, currency: str) -> Decimal:
        """What of it is an estimate."""
        return exact_sum(each.estimated for each in self.lines if each.currency == currency)


def build_accrual(  # noqa: PLR0913
    answers: Answers,
    view: View,
    by: str,
    today: date,
    allocation: AllocationSettings = DIRECT,
    *,
    is_closed: bool = False,
) -> Accrual:
    """The accrual of an open month made out to one kind of unit.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: a key of CHARGED.
        today: the date in UTC.
        allocation: what follows usage, and the rules.
        is_closed: whether the month was closed.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the month is closed, or its bill does not add up.
    """
    if is_closed:
        raise Problem(
            f"{view.month} is closed: its charges stand.",
            "Nothing is left to accrue.",
            "Use journal for what was charged; whatever changes later is an adjustment.",
        )
    statement = build_statement(answers, view, by, today, allocation)
    gap = missing_days(view.month, statement.data_as_of, answers.months)
    days = all_days(gap)
    months = view.since(min(map(month_of, days), default=view.month))
    rows = usage_days(answers, months, CHARGED[by].name, days)
    return Accrual(
        statement=statement,
        gap=gap,
        lines=tuple(_lines(statement, _by_unit(statement, rows, gap))),
        sellers=_by_seller(statement, rows, gap),
    )


def _by_unit(statement: Statement, rows: Sequence[UsageDay], gap: Gap) -> Cents:
    """What is estimated for each unit."""
    return {
        (currency, unit): amount
        for currency, usage in usage_by_day(rows, "unit").items()
        for unit, amount in rounded(
            allocated(estimates(usage, gap), holders(statement, currency))
        ).items()
    }


def _by_seller(statement: Statement, rows: Sequence[UsageDay], gap: Gap) -> Cents:
    """What is accrued of each seller: billed and estimated, rounded as the totals of the lines."""
    billed: dict[str, Amounts] = defaultdict(lambda: defaultdict(Fraction))
    for row in rows:
        if row["billing_period"] == statement.billing_period:
            billed[row["currency"]][row["billing_entity"]] += Fraction(row["cost"])
    likely = {
        currency: estimates(usage, gap)
        for currency, usage in usage_by_day(rows, "billing_entity").items()
    }
    found: Cents = defaultdict(lambda: _ZERO)
    for currency, sellers in (*billed.items(), *likely.items()):
        for seller, amount in rounded(sellers).items():
            found[currency, seller] += amount
    return {at: amount for at, amount in found.items() if amount}


def _lines(statement: Statement, estimated: Cents) -> Iterator[AccrualLine]:
    """A line for each unit that is charged, or likely to be."""
    charged = {(charge.currency, charge.bill_to): charge for charge in statement.charges}
    likely = {at for at, amount in estimated.items() if amount}
    last = {(currency, UNALLOCATED) for currency, _ in likely}
    billed = {at for at in charged if at[0] or not likely}  # a month without a line has no currency
    for at in sorted({*billed, *likely, *last}, key=unallocated_last):
        charge = charged.get(at) or no_charge(*at, statement.bill_to_type)
        yield AccrualLine(
            charge.bill_to,
            charge.cost_center,
            charge.currency,
            actual=charge.total,
            tax=charge.amounts[_TAX],
            estimated=estimated.get(at, _ZERO),
        )
