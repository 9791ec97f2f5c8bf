"""Charts as Plotly gets them, and which colours they are drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.basedatatypes import BaseFigure

from chargeback.dimensions import UNALLOCATED
from chargeback.reports.ranking import OTHERS
from chargeback.ui import charts, theme

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
Row = tuple[date | None, str, str]
ROWS: list[Row] = [
    (FIRST, UNALLOCATED, "900"),
    (FIRST, OTHERS, "800"),
    (FIRST, "small", "10.005"),
    (FIRST, "large", "500"),
    (SECOND, "large", "250.5"),
    (None, "large", "-70"),
]


def as_dict(figure: BaseFigure) -> dict[str, Any]:
    found: dict[str, Any] = figure.to_dict()  # type: ignore[no-untyped-call]
    return found


def daily(rows: Sequence[Row], names: dict[str, str] | None = None) -> dict[str, Any]:
    frame = pd.DataFrame(
        [(day, unit, Decimal(cost)) for day, unit, cost in rows],
        columns=["usage_date", "unit", "cost"],
    )
    return as_dict(charts.daily_chart(frame, names or {}, "USD", "light"))


def bars(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace["type"] == "bar"]


def test_largest_at_the_bottom_then_others_then_unallocated() -> None:
    names = [trace["name"] for trace in bars(daily(ROWS, {OTHERS: "8 other tenants"}))]
    assert names == ["large", "small", "8 other tenants", UNALLOCATED]


def test_a_day_without_spend_is_zero_and_what_has_no_day_is_left_out() -> None:
    large, small, *_ = bars(daily(ROWS))
    assert list(large["y"]) == [500, 250.5]
    assert list(small["y"]) == [10.005, 0]
    assert list(large["x"]) == [FIRST, SECOND]


def test_hovering_shows_amounts_to_the_cent_and_the_total() -> None:
    figure = daily(ROWS)
    assert list(bars(figure)[1]["customdata"]) == ["$10.01", "$0.00"]
    assert list(figure["data"][-1]["customdata"]) == ["$2,210.01", "$250.50"]
    assert not figure["data"][-1]["showlegend"]


def test_others_and_unallocated_have_colours_of_their_own() -> None:
    shades = [trace["marker"]["color"] for trace in bars(daily(ROWS))]
    assert shades[2:] == [theme.OTHERS_COLOUR["light"], theme.UNALLOCATED_COLOUR["light"]]
    assert set(shades[:2]) < set(theme.COLOURS["light"])


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ('<a href="javascript:x">', '&lt;a href="javascript:x"&gt;'),
        ("a & b", "a &amp; b"),
        ("%{x}", "%{x}"),
        ("x" * 33, "x" * 31 + "…"),
    ],
)
def test_names_are_drawn_letter_by_letter(name: str, drawn: str) -> None:
    trace = bars(daily([(FIRST, name, "1")]))[0]
    assert trace["name"] == drawn
    assert trace["hovertemplate"] == "%{customdata}"


@pytest.mark.parametrize(
    ("cost", "ticks"),
    [
        ("7300", ["$0", "$2k", "$4k", "$6k"]),
        ("3", ["$0", "$1", "$2", "$3"]),
        ("0.4", ["$0"]),
        ("-900", ["-$500", "$0"]),
        ("2500000", ["$0", "$1M", "$2M"]),
    ],
)
def test_the_axis_has_few_ticks_in_whole_dollars(cost: str, ticks: list[str]) -> None:
    assert list(daily([(FIRST, "a", cost)])["layout"]["yaxis"]["ticktext"]) == ticks


def test_the_axis_shows_the_whole_month_with_its_mondays() -> None:
    axis = daily(ROWS)["layout"]["xaxis"]
    assert list(axis["range"]) == ["2026-09-30 12:00", "2026-10-31 12:00"]
    assert list(axis["ticktext"]) == ["5 Oct", "12 Oct", "19 Oct", "26 Oct"]


def test_a_month_without_days_draws_nothing() -> None:
    figure = daily([(None, "large", "5")])
    assert bars(figure) == []
    assert figure["layout"]["xaxis"] == {"visible": False}


UNITS = st.lists(st.text(max_size=8), unique=True, min_size=1, max_size=theme.SERIES)


@given(UNITS)
def test_no_two_units_of_a_chart_share_a_colour(units: list[str]) -> None:
    assert len({theme.colour_of(unit, units) for unit in units}) == len(units)


@given(UNITS, st.randoms())
def test_a_unit_keeps_its_colour_whatever_its_rank(units: list[str], random: Random) -> None:
    shuffled = random.sample(units, len(units))
    assert [theme.colour_of(u, units) for u in units] == [
        theme.colour_of(u, shuffled) for u in units
    ]


@given(UNITS)
def test_a_unit_that_has_its_favourite_colour_keeps_it_when_others_leave(units: list[str]) -> None:
    kept = [unit for unit in units if theme.colour_of(unit, units) == theme.colour_of(unit, [unit])]
    assert kept
    for unit in kept:
        assert theme.colour_of(unit, kept) == theme.colour_of(unit, units)


def test_units_beyond_the_series_have_no_colour() -> None:
    units = [f"unit {n}" for n in range(theme.SERIES + 1)]
    with pytest.raises(KeyError):
        theme.colour_of(units[-1], units)


def test_light_and_dark_have_as_many_colours_and_none_twice() -> None:
    for base in ("light", "dark"):
        shades = [*theme.COLOURS[base], theme.OTHERS_COLOUR[base], theme.UNALLOCATED_COLOUR[base]]
        assert len(set(shades)) == theme.SERIES + 2


def test_shares_are_a_line_for_each_series_and_the_chosen_one_stands_out() -> None:
    frame = pd.DataFrame(
        [
            ("tenant", "2026-09", None),
            ("tenant", "2026-10", Decimal("0.4567")),
            ("team", "2026-10", Decimal("0.5")),
        ],
        columns=["dimension", "billing_period", "share"],
    )
    names = {"tenant": "Tenant <b>", "team": "Team"}
    figure = as_dict(charts.share_chart(frame, names, "team", "dark"))
    tenant, team = figure["data"]
    assert (list(tenant["x"]), list(tenant["y"])) == (["2026-09", "2026-10"], [None, 0.4567])
    assert (tenant["name"], list(tenant["customdata"])) == ("Tenant &lt;b&gt;", ["–", "45.7 %"])
    assert team["line"]["width"] > tenant["line"]["width"]
    assert team["line"]["color"] == theme.COLOURS["dark"][1]
    assert list(figure["layout"]["xaxis"]["ticktext"]) == ["Sep 26", "Oct 26"]
