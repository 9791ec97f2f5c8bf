"""python -m chargeback accrual: what an open month is likely to come to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

from chargeback.billing_period import check_month, previous_month, today
from chargeback.cli.common import ensure, statements_now, warn
from chargeback.closing.ledger_files import accrual_of
from chargeback.errors import UsageProblem
from chargeback.formats import count, day_name, money, month_name, percent, signed_percent
from chargeback.money import exact_sum, share_of
from chargeback.settings import load_settings
from chargeback.statement.accrual import Accrual
from chargeback.statement.accrual_accuracy import PastAccrual, days_missing, in_total, past_accruals
from chargeback.statement.accrual_days import WEEKS
from chargeback.statement.accrual_file import write_accrual
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes the files, and names them."""
    workspace = Workspace(load_settings())
    month = check_month(options.month)
    _read(workspace, month)
    statements, by = statements_now(workspace), options.by
    accrual = accrual_of(statements, month, by)
    past = past_accruals(
        statements.answers(month),
        accrual.statement.view,
        by,
        today(),
        workspace.allocation,
        days=days_missing(accrual),
    )
    files = write_accrual(accrual, past, options.out)
    warn(statements.answers(month), [month])
    for line in (*_said(accrual), *_accuracy(in_total(past))):
        print(f"chargeback: {month}: {line}", file=sys.stderr)
    print(*files, sep="\n")


def _read(workspace: Workspace, month: str) -> None:
    """The month before too, whose days stand for those early in the month."""
    ensure(workspace, month)
    with suppress(UsageProblem):  # the bill begins with the month
        ensure(workspace, previous_month(month))


def _said(accrual: Accrual) -> Iterator[str]:
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


def _accuracy(past: Sequence[PastAccrual]) -> Iterator[str]:
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
