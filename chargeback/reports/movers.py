"""What moved most, and why: each unit's bridge, and its causes in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

import pandas as pd

from chargeback.formats import signed_compact_money
from chargeback.reports.answers import Answers
from chargeback.reports.bridge import Bridge, bridges_by_unit, step_in_words
from chargeback.reports.caller_causes import Cause
from chargeback.reports.causes import causes_by_unit
from chargeback.reports.frames import frame_of
from chargeback.reports.movement import subject_of
from chargeback.reports.ranking import LARGEST
from chargeback.reports.view import View

SAID = 2
"""Causes that a reason names at most."""
ALSO_SAID = Decimal("0.25")
"""Of the largest cause, from where the next is said too."""
ENOUGH = Decimal("0.25")
"""Of the change, that the largest cause has to be, to be why."""
ALL_OF_IT = Decimal("0.98")
"""Of the change, from where a cause is all of it."""


class Mover(TypedDict):
    """A unit whose spend changed, and why; amounts in the view's currency."""

    unit: str
    name: str
    change: Decimal
    """The sum of the last eight, the steps of a bridge."""
    reason: str
    """In words, with the amounts that they stand for where that is not the whole change."""
    reason_amount: Decimal | None
    """The part of the change that the largest cause stands for; None where it is all of it."""
    volume: Decimal
    mix: Decimal
    price: Decimal
    other_meters: Decimal
    not_usage: Decimal
    new_callers: Decimal
    gone_callers: Decimal
    attribution: Decimal


def movers(
    answers: Answers, view: View, dimension: str, ranking: pd.DataFrame, count: int = LARGEST
) -> pd.DataFrame:
    """The Movers of a ranking whose spend changed most since the month before."""
    changed = [row for row in ranking.to_dict("records") if row["change"]]
    changed.sort(key=lambda row: (-abs(row["change"]), row["unit"]))
    names = {row["unit"]: row["name"] for row in changed[:count]}
    if not names:
        return frame_of(Mover, [])
    subject = subject_of(replace(view, where=(*view.where, (dimension, tuple(names)))))
    bridges, causes = bridges_by_unit(answers, subject), causes_by_unit(answers, subject)
    found = [
        _mover(unit, name, bridges[unit], causes[unit], view.currency)
        for unit, name in names.items()
    ]
    return frame_of(Mover, found)


def reason(causes: Sequence[Cause], bridge: Bridge, currency: str, name: str = "") -> str:
    """Why a unit changed, in words: '+$2.2k more tokens; -$730 cheaper mix'.

    Its largest causes, or, where many small ones come together, its largest steps.

    Args:
        causes: all of them, the largest first.
        bridge: of the unit.
        currency: of all amounts.
        name: of the unit, which need not be said again.
    """
    said = [(cause.amount, _words(cause, name)) for cause in causes]
    if not causes or abs(causes[0].amount) < ENOUGH * abs(bridge.change):
        steps = sorted(bridge.taken.items(), key=lambda step: -abs(step[1]))
        said = [(amount, step_in_words(step, amount)) for step, amount in steps]
    if not said:
        return "no change"
    largest = abs(said[0][0])
    said = [each for each in said[:SAID] if abs(each[0]) >= ALSO_SAID * largest]
    if len(said) == 1 and is_all_of(said[0][0], bridge.change):
        return said[0][1]
    return "; ".join(f"{signed_compact_money(amount, currency)} {words}" for amount, words in said)


def is_all_of(amount: Decimal, change: Decimal) -> bool:
    """Whether an amount is the whole change, or nearly."""
    same_way = (amount > 0) == (change > 0)
    return same_way and ALL_OF_IT * abs(change) <= abs(amount) <= abs(change) / ALL_OF_IT


def _mover(
    unit: str, name: str, bridge: Bridge, causes: Sequence[Cause], currency: str
) -> dict[str, object]:
    whole = not causes or is_all_of(causes[0].amount, bridge.change)
    return {
        "unit": unit,
        "name": name,
        "change": bridge.change,
        "reason": reason(causes, bridge, currency, name),
        "reason_amount": None if whole else causes[0].amount,
        **bridge.steps,
    }


def _words(cause: Cause, name: str) -> str:
    return cause.what if cause.who == name else cause.words
