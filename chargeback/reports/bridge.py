"""From what the month before cost to what this one costs, in steps that add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from chargeback.formats import money
from chargeback.money import ZERO, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.effects import Effects, effects_of
from chargeback.reports.movement import MovedMeter, Subject, movement, movement_by_unit
from chargeback.reports.view import View

STEPS: Final = (
    "volume",
    "price",
    "mix",
    "new_callers",
    "gone_callers",
    "attribution",
    "other_meters",
    "not_usage",
)
"""In the order in which they follow each other.

volume: more or fewer tokens of callers of both months, each at its average price of the month
before. price: tokens of this month at the difference in price, of meters used in both. mix: the
move between models, token types, tiers and regions. new_callers, gone_callers: usage of callers
without usage in the other month, whoever pays. attribution: spend of the same callers that other
units paid for the month before, or pay for now. other_meters: what is not counted in tokens.
not_usage: tax, fees, credits, refunds, discounts.
"""

_WORDS: Final = {
    "volume": ("more tokens", "fewer tokens"),
    "price": ("higher prices", "lower prices"),
    "mix": ("dearer mix", "cheaper mix"),
    "new_callers": ("new callers", "new callers"),
    "gone_callers": ("callers that stopped", "callers that stopped"),
    "attribution": ("moved in by tags", "moved out by tags"),
    "other_meters": ("more non-token use", "less non-token use"),
    "not_usage": ("tax, fees, credits, discounts", "tax, fees, credits, discounts"),
}
"""Of each step, where it costs more and where it costs less."""
ALSO_SAID: Final = Decimal("0.25")
"""Of the largest step, from where another is said in a headline."""
SAID: Final = 2


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two months and what lies between them, in currency; the steps add up to the change."""

    previous: Decimal
    steps: Mapping[str, Decimal]
    """Each of STEPS."""

    @property
    def taken(self) -> dict[str, Decimal]:
        """The steps that are not zero."""
        return {step: amount for step, amount in self.steps.items() if amount}

    @property
    def change(self) -> Decimal:
        """From the month before to this one."""
        return exact_sum(self.steps.values())

    @property
    def cost(self) -> Decimal:
        """Of this month."""
        return exact_sum([self.previous, self.change])


def bridge(answers: Answers, view: View) -> Bridge:
    """From the month before to the view's month.

    Attribution is a step where the view is narrowed by what rules of attribution decide (a tenant,
    a team); over all units of such a dimension it adds up to zero.
    """
    return answers.made_once(_bridge, view)


def bridges_by_unit(answers: Answers, subject: Subject) -> Mapping[str, Bridge]:
    """The bridge of each unit that has lines in one of the months."""
    return answers.made_once(_bridges_by_unit, subject)


def step_in_words(step: str, amount: Decimal) -> str:
    """What a step of this amount says: 'more tokens'."""
    more, less = _WORDS[step]
    return more if amount > 0 else less


def headline(of: Bridge, currency: str) -> str:
    """A bridge in a line: 'Up $1,487.10: more tokens, cheaper mix'."""
    change = money(abs(of.change), currency)
    largest = sorted(of.taken.items(), key=lambda step: -abs(step[1]))
    if not largest:
        return "No change"
    least = ALSO_SAID * abs(largest[0][1])
    said = [step_in_words(*step) for step in largest[:SAID] if abs(step[1]) >= least]
    return f"{'Up' if of.change > 0 else 'Down'} {change}: {', '.join(said)}"


def bridge_of(meters: Iterable[MovedMeter]) -> Bridge:
    """The bridge of some meters."""
    meters = list(meters)
    steps: dict[str, Decimal] = dict.fromkeys(STEPS, ZERO)
    for effects in effects_of(meters):
        for step, amount in _steps(effects).items():
            steps[step] = exact_sum([steps[step], amount])
    steps["not_usage"] = exact_sum(meter.change for meter in meters if not meter.is_usage)
    return Bridge(exact_sum(m.previous_cost for m in meters), steps)


def _bridge(answers: Answers, view: View) -> Bridge:
    return bridge_of(movement(answers, view))


def _bridges_by_unit(answers: Answers, subject: Subject) -> dict[str, Bridge]:
    found = movement_by_unit(answers, subject)
    return {unit: bridge_of(meters) for unit, meters in found.items()}


def _steps(of: Effects) -> dict[str, Decimal]:
    if of.is_new or of.is_gone:
        return {"new_callers" if of.is_new else "gone_callers": of.change}
    return {
        "volume": of.volume,
        "price": exact_sum(of.price.values()),
        "mix": of.mix,
        "attribution": of.moved,
        "other_meters": of.other_meters,
    }
