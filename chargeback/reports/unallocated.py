"""What nobody pays for under a dimension, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

import pandas as pd

from chargeback.money import ZERO, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.view import View


class ReasonCost(TypedDict):
    """A reason and what it comes to; amounts in the view's currency."""

    reason: str
    """As queries/reports/unallocated.sql names them."""
    cost: Decimal
    share: Decimal | None
    """Of what is unallocated; None when that is zero."""
    since: str
    """The first billing period in the store that has it."""
    callers: int
    team: str
    """Whose share of it is the largest; '' where no line names one. So with `account`."""
    account: str


class UnallocatedCaller(TypedDict):
    """A principal, or a meter without one, that nobody pays for."""

    principal: str
    name: str
    meter: str
    """A usage type; '' where there is a principal."""
    principal_type: str
    account: str
    account_name: str
    cost: Decimal
    since: str
    callers: int
    """Sessions, of a role."""
    caller: str
    """One of them, as billed."""
    team: str
    cost_center: str
    found: int
    """How many there are, with those that are not in the frame."""


class InternalUse(TypedDict):
    """What a team uses for no tenant."""

    cost_center: str
    team: str
    cost: Decimal
    callers: int


def reasons(answers: Answers, view: View, dimension: str) -> pd.DataFrame:
    """A ReasonCost for each reason, largest first; they add up to what is unallocated."""
    whole = view.since(answers.months[-1])
    rows = answers.ask("unallocated_reasons", view.grain, whole, dimension=dimension).to_pylist()
    unallocated = sum((row["cost"] for row in rows), ZERO)
    for row in rows:
        row["share"] = share_of(row["cost"], unallocated)
    return frame_of(ReasonCost, rows)


def unallocated_callers(
    answers: Answers, view: View, dimension: str, reason: str, longest: int | None = None
) -> pd.DataFrame:
    """The UnallocatedCallers of a reason, largest first; `longest` of them, or all."""
    answer = answers.ask(
        "unallocated_callers",
        view.grain,
        view.since(answers.months[-1]),
        dimension=dimension,
        reason=reason,
        longest=longest,
    )
    return frame_of(UnallocatedCaller, answer.to_pylist())


def internal_use(answers: Answers, view: View) -> pd.DataFrame:
    """InternalUse by cost center and team, largest first."""
    answer = answers.ask("internal_use", view.grain, view, dimension="tenant")
    return frame_of(InternalUse, answer.to_pylist())
