"""What is known of a month as a whole: its notices, and whether it is invoiced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from chargeback.billing_period import is_over
from chargeback.money import ZERO
from chargeback.notices import Notice, blocking, notice
from chargeback.reports.answers import Answers
from chargeback.reports.summary import totals_by_month
from chargeback.reports.view import View
from chargeback.store.manifest import SCHEMA_VERSION, is_news

PROVISIONAL, INVOICED, CLOSED = "PROVISIONAL", "INVOICED", "CLOSED"
RANKS = ("blocks-close", "warning", "info")


def notices_of(answers: Answers, month: str) -> tuple[Notice, ...]:
    """What is known to be missing or odd about the month, what blocks its close first."""
    return tuple(sorted(_notices(answers, month), key=lambda each: RANKS.index(each.severity)))


def _notices(answers: Answers, month: str) -> Iterator[Notice]:
    period = answers.period(month)
    manifests = [each.manifest for each in answers.periods]
    if period.refusal:
        yield from period.refusal.notices
    yield from (each for each in period.manifest.notices if is_news(each, month, manifests))
    yield from answers.bill(month).notices
    if period.manifest.schema_version < SCHEMA_VERSION:
        yield notice("read-by-older-program")
    yield from answers.month_notices(month)
    yield from answers.bill_notices


def status_of(answers: Answers, month: str, today: date) -> str:
    """INVOICED or PROVISIONAL.

    INVOICED is a month that is over, has a line, of whose lines each that costs something is on
    an invoice, and of which nothing is open. AWS may restate it all the same, for refunds and
    credits (Cost and Usage Reports User Guide, "Viewing finalized reports").
    """
    is_invoiced = (
        is_over(month, today)
        and answers.manifest(month).lines_read > 0
        and answers.bill(month).not_invoiced == 0
        and not blocking(notices_of(answers, month))
    )
    return INVOICED if is_invoiced else PROVISIONAL


def ties(answers: Answers, view: View) -> bool:
    """Whether what the reports show of a month is the bill that was read, to the last digit.

    Args:
        answers: over the store.
        view: the whole month in one currency.
    """
    shown = {totals.billing_period: totals.cost for totals in totals_by_month(answers, view)}
    totals = answers.bill(view.month).totals
    return shown.get(view.month, ZERO) == totals.get(view.currency, ZERO)
