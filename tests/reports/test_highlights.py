"""The short answers add up to the reports they are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.dimensions import UNALLOCATED
from chargeback.reports.coverage import coverage
from chargeback.reports.frames import frame_of, total
from chargeback.reports.ranking import OTHERS, RankedUnit, others_named, top_units
from chargeback.reports.usage_mix import doubts

AMOUNTS = st.decimals(-1000, 100_000, places=10)
LARGEST = 5


def ranking_of(costs: dict[str, tuple[Decimal, Decimal]]) -> pd.DataFrame:
    """A ranking: unit and its cost this month and the month before."""
    rows: list[dict[str, Any]] = [
        {
            **dict.fromkeys(RankedUnit.__annotations__),
            "unit": unit,
            "name": unit.title(),
            "cost": now,
            "previous_cost": before,
            "change": now - before,
        }
        for unit, (now, before) in costs.items()
    ]
    rows.sort(key=lambda row: (row["unit"] == UNALLOCATED, -row["cost"], row["unit"]))
    return frame_of(RankedUnit, rows)


UNITS = st.one_of(st.just(UNALLOCATED), st.text("abcdef", min_size=1, max_size=3))
RANKINGS = st.dictionaries(UNITS, st.tuples(AMOUNTS, AMOUNTS), min_size=1).map(ranking_of)


@settings(deadline=None)
@given(RANKINGS)
def test_the_top_adds_up_to_the_ranking(ranking: pd.DataFrame) -> None:
    top = top_units(ranking, ranking, "tenant")
    assert total(top) == total(ranking)
    assert total(top, "change") == total(ranking, "change")


@settings(deadline=None)
@given(RANKINGS)
def test_unallocated_is_last_and_never_among_the_others(ranking: pd.DataFrame) -> None:
    units = list(top_units(ranking, ranking, "tenant")["unit"])
    assert (units[-1] == UNALLOCATED) == (UNALLOCATED in set(ranking["unit"]))
    assert len([unit for unit in units if unit not in {OTHERS, UNALLOCATED}]) <= LARGEST


def test_others_are_counted() -> None:
    costs = {letter: (Decimal(1), Decimal(1)) for letter in "abcdefg"}
    assert others_named(ranking_of(costs), "tenant") == "2 other tenants"
    del costs["g"]
    assert others_named(ranking_of(costs), "tenant") == "1 other tenant"


def test_an_open_month_changes_over_the_same_days_only() -> None:
    month = ranking_of({"acme": (Decimal(80), Decimal(100)), "new": (Decimal(5), Decimal(0))})
    days = ranking_of({"acme": (Decimal(60), Decimal(50))})
    top = top_units(month, days, "tenant").set_index("unit")
    assert top.loc["acme", "cost"] == Decimal(80)
    assert top.loc["acme", "change_ratio"] == Decimal("0.2")
    assert top.loc["new", "change_ratio"] is None


def test_coverage_and_what_it_leaves_open_make_the_cost() -> None:
    decided = pd.DataFrame(
        [
            {"dimension": "team", "source": "iamPrincipal/team", "cost": Decimal(60)},
            {"dimension": "team", "source": "account", "cost": Decimal(15)},
            {"dimension": "team", "source": "", "cost": Decimal(25)},
            {"dimension": "tenant", "source": "", "cost": Decimal(100)},
            {"dimension": "principal", "source": "role", "cost": Decimal(100)},
        ]
    )
    covered = coverage(decided).set_index("dimension")
    assert covered.loc["team", "attributed"] == Decimal(75)
    assert covered.loc["team", "not_attributed"] == Decimal(25)
    assert covered.loc["team", "share"] == Decimal("0.75")
    assert covered.loc["team", "sources"] == [
        ("iamPrincipal/team", Decimal("0.6")),
        ("account", Decimal("0.15")),
    ]
    assert covered.loc["tenant", "sources"] == []


@pytest.mark.parametrize(
    ("recognised", "note", "is_new_product", "said"),
    [
        (False, "", False, ["Not known what this measures"]),
        (True, "The unit names no size.", False, ["The unit names no size."]),
        (False, "", True, ["Not known what this measures", "product code is new"]),
    ],
)
def test_each_doubt_is_put_into_words(
    recognised: bool, note: str, is_new_product: bool, said: list[str]
) -> None:
    row = {"recognised": recognised, "note": note, "is_new_product": is_new_product}
    (doubt,) = doubts(pd.DataFrame([row]))
    assert all(words in doubt for words in said)
