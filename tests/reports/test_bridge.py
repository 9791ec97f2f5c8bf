"""A bridge leads from one month to the next, to the last digit, whatever it is narrowed to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.dimensions import ATTRIBUTED, BY_NAME, UNALLOCATED
from chargeback.money import exact_sum
from chargeback.reports.bridge import bridge, bridges_by_unit
from chargeback.reports.causes import causes
from chargeback.reports.movement import subject_of
from chargeback.reports.view import View
from tests.reports.spend_rows import Row, answers_over, spend, whole_bill

BEFORE, MONTH = "2026-09", "2026-10"
UNITS = (UNALLOCATED, "red", "green", "blue")

costs = st.decimals(-(10**9), 10**9, places=12)
tokens = st.none() | st.integers(0, 10**12).map(Decimal)
units = st.sampled_from(UNITS)
rows = st.lists(
    st.builds(
        spend,
        st.sampled_from(["", "ann", "bob", "cem"]),
        st.dates(date(2026, 9, 1), date(2026, 10, 31)),
        costs,
        tokens,
        charge_category=st.sampled_from(["usage", "usage", "usage", "tax", "credit"]),
        model=st.sampled_from(["Claude Opus 5.5", "Nova Pro"]),
        token_type=st.sampled_from(["input", "output", "cache read"]),
        tenant=units,
        team=units,
    ),
    min_size=1,
    max_size=16,
)


def change_of(found: Sequence[Row]) -> Decimal:
    """What rows of October cost more than rows of September, summed without SQL."""
    return exact_sum(
        row["cost"] if row["billing_period"] == MONTH else -row["cost"] for row in found
    )


def narrowed(dimension: str, units: Sequence[str]) -> View:
    return View(MONTH, "USD", whole_bill(MONTH).rows, ((dimension, tuple(units)),))


@settings(max_examples=40)
@given(rows, st.sampled_from(["team", "tenant"]) | st.sampled_from([*BY_NAME]))
def test_the_steps_add_up_to_the_change_of_every_unit(found: list[Row], dimension: str) -> None:
    answers = answers_over([*found, spend("dee", date(2026, 10, 1), Decimal(0))])
    whole = bridge(answers, whole_bill(MONTH))
    assert whole.change == change_of(found)
    assert whole.previous == exact_sum(r["cost"] for r in found if r["billing_period"] == BEFORE)
    ranked = answers.ask("units", "daily", whole_bill(MONTH).since(BEFORE), dimension=dimension)
    names = [row["unit"] for row in ranked.to_pylist()]
    of_units = bridges_by_unit(answers, subject_of(narrowed(dimension, names)))
    assert exact_sum(each.change for each in of_units.values()) == whole.change
    assert exact_sum(each.steps["attribution"] for each in of_units.values()) == 0
    for unit, each in list(of_units.items())[:2]:
        assert bridge(answers, narrowed(dimension, [unit])) == each


@settings(max_examples=15)
@given(rows, st.sampled_from([each.name for each in ATTRIBUTED[:2]]), units)
def test_the_causes_of_a_unit_add_up_to_its_change(
    found: list[Row], dimension: str, unit: str
) -> None:
    answers = answers_over([*found, spend("dee", date(2026, 10, 1), Decimal(0))])
    view = whole_bill(MONTH).narrowed(dimension, unit)
    of_unit = [row for row in found if row[dimension] == unit]
    assert exact_sum(each.amount for each in causes(answers, view)) == change_of(of_unit)
    assert bridge(answers, view).change == change_of(of_unit)


def steps(found: Sequence[Row], view: View) -> dict[str, Decimal]:
    """The steps that are not zero."""
    return {
        step: amount for step, amount in bridge(answers_over(found), view).steps.items() if amount
    }


def used(caller: str, month: int, cost: str, tokens: int | None, **columns: str) -> Row:
    """A line on the tenth day of a month of 2026."""
    amount = None if tokens is None else Decimal(tokens)
    return spend(caller, date(2026, month, 10), Decimal(cost), amount, **columns)


WORK = [used("app", 9, "10", 1000, model="A"), used("app", 10, "10", 1000, model="A")]
"""A caller of both months that does not change."""


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # Twice the tokens at the same price.
        ([used("b", 9, "10", 1000), used("b", 10, "20", 2000)], {"volume": 10}),
        # The same tokens at half the price.
        ([used("b", 9, "10", 1000), used("b", 10, "5", 1000)], {"price": -5}),
        # As many tokens, but of the dearer of two models: 10 per thousand against 1.
        ([used("b", 9, "1", 1000, model="B"), used("b", 10, "10", 1000, model="C")], {"mix": 9}),
        ([used("b", 10, "7", 10)], {"new_callers": 7}),
        ([used("b", 9, "7", None)], {"gone_callers": -7}),
        ([used("b", 9, "3", None), used("b", 10, "7", None)], {"other_meters": 4}),
        ([used("b", 10, "-8", None, charge_category="credit")], {"not_usage": -8}),
        ([], {}),
    ],
)
def test_each_step_holds_what_it_is_named_for(found: list[Row], expected: dict[str, int]) -> None:
    assert steps([*WORK, *found], whole_bill(MONTH)) == expected


@pytest.mark.parametrize("dimension", [each.name for each in ATTRIBUTED])
def test_a_tag_that_arrives_moves_spend_whatever_it_decides(dimension: str) -> None:
    found = [used("b", 9, "10", 10), used("b", 10, "10", 10, **{dimension: "red"})]
    view = whole_bill(MONTH).narrowed(dimension, "red")
    assert steps([*WORK, *found], view) == {"attribution": 10}


RED, GREEN, NOBODY = {"team": "red"}, {"team": "green"}, {"team": UNALLOCATED}


@pytest.mark.parametrize(
    ("found", "unit", "expected"),
    [
        # A tag arrives: last month's 10 moved, the 2 on top were spent.
        (
            [used("b", 9, "10", 10), used("b", 10, "12", 12, **RED)],
            "red",
            {"attribution": 10, "volume": 2},
        ),
        (
            [used("b", 9, "10", 10), used("b", 10, "12", 12, **RED)],
            UNALLOCATED,
            {"attribution": -10},
        ),
        # It arrives within the month: 4 are still nobody's.
        (
            [used("b", 9, "10", 10), used("b", 10, "4", 4), used("b", 10, "6", 6, **RED)],
            "red",
            {"attribution": 6},
        ),
        (
            [used("b", 9, "10", 10), used("b", 10, "4", 4), used("b", 10, "6", 6, **RED)],
            UNALLOCATED,
            {"attribution": -6},
        ),
        # And the month after: the rest of it moves.
        (
            [used("b", 9, "4", 4), used("b", 9, "6", 6, **RED), used("b", 10, "10", 10, **RED)],
            "red",
            {"attribution": 4},
        ),
        # From one team to another.
        (
            [used("b", 9, "10", 10, **GREEN), used("b", 10, "10", 10, **RED)],
            "red",
            {"attribution": 10},
        ),
        # A caller without a line in September anywhere is new, whoever pays.
        ([used("b", 10, "10", 10, **RED)], "red", {"new_callers": 10}),
        # What a gateway does for two teams in both months is each team's own work.
        (
            [
                *(used("b", month, "10", 10, **team) for month in (9, 10) for team in (RED, GREEN)),
                used("b", 10, "5", 5, **RED),
                used("b", 10, "-3", -3, **GREEN),
            ],
            "red",
            {"volume": 5},
        ),
        # Only what nobody paid for can have moved to one of them.
        (
            [
                *(used("b", month, "10", 10, **team) for month in (9, 10) for team in (RED, GREEN)),
                used("b", 9, "3", 3),
                used("b", 10, "5", 5, **RED),
            ],
            "red",
            {"attribution": 3, "volume": 2},
        ),
        # Of meters that are not tokens as of tokens.
        (
            [used("b", 9, "8", None), used("b", 10, "9", None, **RED)],
            "red",
            {"attribution": 8, "other_meters": 1},
        ),
    ],
)
def test_what_moved_by_a_tag_is_told_from_what_was_spent(
    found: list[Row], unit: str, expected: dict[str, int]
) -> None:
    assert steps([*WORK, *found], whole_bill(MONTH).narrowed("team", unit)) == expected


def test_a_session_of_a_role_that_changes_every_month_moves_with_its_role() -> None:
    found = [
        used("b", 9, "10", 10, iam_principal="arn:aws:sts::1:assumed-role/b/1"),
        used("b", 10, "10", 10, iam_principal="arn:aws:sts::1:assumed-role/b/2", **RED),
    ]
    assert steps([*WORK, *found], whole_bill(MONTH).narrowed("team", "red")) == {"attribution": 10}


def test_a_tag_moves_the_session_of_a_gateway_that_carries_it() -> None:
    ann, bob, cem = ({"iam_principal": f"arn:aws:sts::1:assumed-role/b/{who}"} for who in "abc")
    found = [
        *(used("b", month, "10", 10, **ann, **RED) for month in (9, 10)),
        *(used("b", month, "10", 10, **bob, **GREEN) for month in (9, 10)),
        used("b", 9, "7", 7, **cem),
        used("b", 10, "7", 7, **cem, team="blue"),
    ]
    view = whole_bill(MONTH).narrowed("team", "blue")
    assert steps([*WORK, *found], view) == {"attribution": 7}


def test_callers_that_only_became_known_are_not_new() -> None:
    found = [used("", 9, "10", 10), used("b", 10, "12", 12, **RED)]
    assert steps(found, whole_bill(MONTH)) == {"volume": 2}
    assert steps(found, whole_bill(MONTH).narrowed("team", "red"))["attribution"] == 10


def test_within_another_dimension_a_filter_on_a_team_still_tells_moves() -> None:
    found = [used("b", 9, "10", 10, model="A"), used("b", 10, "12", 12, model="A", **RED)]
    view = whole_bill(MONTH).narrowed("team", "red").narrowed("model", "A")
    assert steps([*WORK, *found], view) == {"attribution": 10, "volume": 2}


def test_a_filter_of_several_teams_moves_nothing_between_them() -> None:
    found = [used("b", 9, "10", 10, **GREEN), used("b", 10, "10", 10, **RED)]
    assert steps([*WORK, *found], narrowed("team", ["red", "green"])) == {}


def test_an_open_month_is_compared_over_its_first_days() -> None:
    late = used("app", 10, "99", 99, model="A") | {"usage_date": date(2026, 10, 20)}
    assert steps([*WORK, late], whole_bill(MONTH).first_days(12)) == {}
