"""Why the spend of units changed since the month before, in words for their statements."""

from __future__ import annotations

from collections.abc import Sequence

from chargeback.formats import compact_money
from chargeback.reports.answers import Answers
from chargeback.reports.movers import Change, movement
from chargeback.reports.view import View


def reasons(answers: Answers, view: View, dimension: str, units: Sequence[str]) -> dict[str, str]:
    """Why the spend of each unit changed, in the view's currency: '+$2.2k more tokens'."""
    changes = movement(answers, view, dimension, units)
    return {unit: _in_words(change, view.currency) for unit, change in changes.items()}


def _in_words(change: Change, currency: str) -> str:
    largest = max(change.parts.values(), key=abs)
    if largest == change.total:
        return change.reason
    sign = "+" if largest > 0 else ""
    return f"{sign}{compact_money(largest, currency)} {change.reason}"
