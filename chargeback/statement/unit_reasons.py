"""Why the spend of units changed since the month before, in words for their statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chargeback.reports.answers import Answers
from chargeback.reports.bridge import bridges_by_unit
from chargeback.reports.causes import causes_by_unit
from chargeback.reports.movement import subject_of
from chargeback.reports.movers import reason
from chargeback.reports.view import View

AT_ONCE = 200
"""Units asked for together: of each, the days of its callers are in memory."""


def reasons(answers: Answers, view: View, dimension: str, units: Sequence[str]) -> dict[str, str]:
    """Why the spend of each unit changed, in the view's currency: '+$2.2k more tokens'."""
    found: dict[str, str] = {}
    for first in range(0, len(units), AT_ONCE):
        named = tuple(units[first : first + AT_ONCE])
        subject = subject_of(replace(view, where=(*view.where, (dimension, named))))
        causes = causes_by_unit(answers, subject)
        for unit, bridge in bridges_by_unit(answers, subject).items():
            found[unit] = reason(causes[unit], bridge, view.currency, unit)
    return found
