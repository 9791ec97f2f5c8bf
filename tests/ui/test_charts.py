"""Charts as Plotly gets them, and which colours they are drawn in."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.basedatatypes import BaseFigure

from chargeback.dimensions import UNALLOCATED
from chargeback.reports.ranking import OTHERS
from chargeback.ui import charts, theme

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
LEADING = ["large", "small"]
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
    return as_dict(charts.daily_chart(frame, names or {}, "USD", "light", LEADING))


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


# No unit is called as what is no unit: Hypothesis tries texts that it finds in the code, too.
UNITS = st.text(max_size=8).filter(lambda name: name not in (OTHERS, UNALLOCATED))
NAMES = st.lists(UNITS, unique=True, min_size=2, max_size=12)
BASES: list[theme.Base] = ["light", "dark"]


@given(NAMES, st.data())
def test_no_two_units_of_a_chart_share_a_colour(names: list[str], data: st.DataObject) -> None:
    units = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=theme.SERIES))
    leading = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=theme.SERIES))
    shades = theme.colours([*units, OTHERS, UNALLOCATED], leading, "light")
    assert len(set(shades.values())) == len(units) + 2


@given(NAMES, st.data())
def test_a_leading_unit_has_its_colour_in_every_chart(
    names: list[str], data: st.DataObject
) -> None:
    leading = names[: theme.SERIES]
    units = data.draw(st.permutations(names).map(lambda mixed: mixed[: theme.SERIES]))
    shades = theme.colours([*units, UNALLOCATED], leading, "dark")
    for place, unit in enumerate(leading):
        assert unit not in units or shades[unit] == theme.COLOURS["dark"][place]


@given(NAMES, st.data())
def test_no_rank_within_a_chart_decides_a_colour(names: list[str], data: st.DataObject) -> None:
    units = names[: theme.SERIES]
    mixed = data.draw(st.permutations(units))
    assert theme.colours(units, names[:3], "light") == theme.colours(mixed, names[:3], "light")


@pytest.mark.parametrize("unit", ["small", OTHERS, UNALLOCATED])
def test_a_lone_series_has_the_first_colour_and_no_legend(unit: str) -> None:
    figure = daily([(FIRST, unit, "5")])
    assert bars(figure)[0]["marker"]["color"] == theme.COLOURS["light"][0]
    assert not figure["layout"]["showlegend"]
    assert daily(ROWS)["layout"]["showlegend"]


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(x * weight for x, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("base", BASES)
def test_every_colour_stands_out_and_none_is_there_twice(base: theme.Base) -> None:
    shades = [*theme.COLOURS[base], theme.OTHERS_COLOUR[base], theme.UNALLOCATED_COLOUR[base]]
    assert len(set(shades)) == theme.SERIES + 2
    page = luminance(CONFIG["theme"][base]["backgroundColor"]) + 0.05
    for shade in shades:  # 3 to 1 is what WCAG 2.1 asks of graphics
        contrast = (luminance(shade) + 0.05) / page
        assert max(contrast, 1 / contrast) >= 3, shade


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
