"""A reason says the largest causes of a unit's change, and as little as tells it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chargeback.money import exact_sum
from chargeback.reports.bridge import STEPS, Bridge, bridge, headline
from chargeback.reports.caller_causes import Cause
from chargeback.reports.causes import causes
from chargeback.reports.movement import TOLD
from chargeback.reports.movers import reason
from tests.reports.spend_rows import answers_over, whole_bill
from tests.reports.test_bridge import MONTH, used


def of_steps(**steps: int) -> Bridge:
    zero = dict.fromkeys(STEPS, Decimal(0))
    return Bridge(Decimal(100), zero | {step: Decimal(amount) for step, amount in steps.items()})


def cause(amount: int, what: str, who: str = "app") -> Cause:
    return Cause(Decimal(amount), who, what)


@pytest.mark.parametrize(
    ("found", "bridged", "said"),
    [
        # One cause is all of it: no amount.
        ([cause(1000, "new caller")], of_steps(new_callers=1000), "app: new caller"),
        # The rest, a fiftieth, is not worth a word.
        (
            [cause(1000, "new caller"), cause(-15, "less", "b")],
            of_steps(new_callers=1000, volume=-15),
            "app: new caller",
        ),
        # Two that offset each other are both said.
        (
            [cause(2200, "more tokens"), cause(-700, "A → B")],
            of_steps(volume=2200, mix=-700),
            "+$2.2k app: more tokens; -$700 app: A → B",
        ),
        # Of many small ones none is why: the steps say what they have in common.
        (
            [cause(20, "more tokens", f"caller {number}") for number in range(50)],
            of_steps(volume=1000),
            "more tokens",
        ),
        # The unit's own name need not be said again.
        ([cause(-9, "no longer calls", "me")], of_steps(gone_callers=-9), "no longer calls"),
        ([], of_steps(), "no change"),
    ],
)
def test_a_reason(found: list[Cause], bridged: Bridge, said: str) -> None:
    assert reason(found, bridged, "USD", "me") == said


@pytest.mark.parametrize(
    ("bridged", "said"),
    [
        (of_steps(volume=2200, mix=-700), "Up $1,500.00: more tokens, cheaper mix"),
        (of_steps(volume=-100, price=10), "Down $90.00: fewer tokens"),
        (of_steps(attribution=-5), "Down $5.00: moved out by tags"),
        (of_steps(), "No change"),
    ],
)
def test_a_headline(bridged: Bridge, said: str) -> None:
    assert headline(bridged, "USD") == said


def test_callers_that_are_not_told_apart_still_count() -> None:
    """Of more callers than a unit tells apart, some new, some gone, the smallest come together."""
    more = TOLD + 10
    stay = [used(f"s{n}", m, f"{n + m}", n + m) for n in range(1, more) for m in (9, 10)]
    new = [used(f"n{n}", 10, f"0.{n:02}", n) for n in range(1, more)]
    gone = [used(f"g{n}", 9, f"0.{n:02}", n) for n in range(1, more)]
    answers, view = answers_over([*stay, *new, *gone]), whole_bill(MONTH)
    steps, of_each = bridge(answers, view).steps, exact_sum(row["cost"] for row in new)
    assert (steps["new_callers"], steps["gone_callers"]) == (of_each, -of_each)
    found = causes(answers, view)
    assert exact_sum(each.amount for each in found) == bridge(answers, view).change == more - 1
    assert {"other callers that are new", "other callers that stopped"} <= {c.what for c in found}
    assert len({each.unit for each in found} - {""}) <= TOLD


def test_what_took_long_is_worked_out_once_for_each_view() -> None:
    answers, asked = answers_over([used("a", 10, "1", 1)]), []

    def make(_: object, view: object) -> str:
        asked.append(view)
        return f"made {len(asked)}"

    views = [whole_bill(MONTH), whole_bill(MONTH).narrowed("team", "red"), whole_bill(MONTH)]
    assert [answers.made_once(make, view) for view in views] == ["made 1", "made 2", "made 1"]
    assert asked == views[:2]
