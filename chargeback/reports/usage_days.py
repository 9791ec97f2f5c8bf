"""What units used on chosen days, told apart from all else that is billed to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypedDict, cast

from chargeback.reports.answers import Answers
from chargeback.reports.view import View


class UsageDay(TypedDict):
    """A unit's usage of one day from one seller, exact."""

    billing_period: str
    currency: str
    billing_entity: str
    """The seller, as in CUR: 'AWS', 'AWS Marketplace'."""
    unit: str
    usage_date: date | None
    """None for all that is not usage of one of the days asked for."""
    cost: Decimal


def usage_days(
    answers: Answers, view: View, dimension: str, days: Iterable[date]
) -> list[UsageDay]:
    """What each unit used on `days`, and the rest of its bill: queries/reports/usage_days.sql."""
    dates = [day.isoformat() for day in sorted(days)]
    answer = answers.ask("usage_days", "daily", view, dimension=dimension, dates=dates)
    return cast("list[UsageDay]", answer.to_pylist())
