"""Colours of the charts. Everything else about the look is in `.streamlit/config.toml`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

from chargeback.dimensions import UNALLOCATED
from chargeback.reports.ranking import OTHERS

Base = Literal["light", "dark"]

COLOURS: Final[dict[Base, tuple[str, ...]]] = {
    "light": ("#0E7C86", "#4C5FD7", "#D98E04", "#C2415B", "#3B8F5A"),
    "dark": ("#3FB6BF", "#8A97F0", "#F0B03F", "#E3728A", "#6CC08B"),
}
"""The colours of named units."""
OTHERS_COLOUR: Final[dict[Base, str]] = {"light": "#7C5CBF", "dark": "#A98BE0"}
UNALLOCATED_COLOUR: Final[dict[Base, str]] = {"light": "#9AA4B2", "dark": "#6B7683"}

SERIES: Final = len(COLOURS["light"])
"""As many units as a chart names; the rest are others."""


def colour_of(unit: str, ranked_units: Sequence[str]) -> int:
    """The colour of a unit, as an index into COLOURS, among the units that a chart names.

    Raises:
        KeyError: `unit` is not one of the first SERIES of `ranked_units`.
    """
    return _assigned(ranked_units)[unit]


def colours(units: Sequence[str], base: Base) -> dict[str, str]:
    """The colour of everything in a chart: named units, others and `(unallocated)`."""
    named = [unit for unit in units if unit not in {OTHERS, UNALLOCATED}]
    chosen = {unit: COLOURS[base][colour_of(unit, named)] for unit in named}
    return chosen | {OTHERS: OTHERS_COLOUR[base], UNALLOCATED: UNALLOCATED_COLOUR[base]}


def _assigned(units: Sequence[str]) -> dict[str, int]:
    """Five colours for any number of names can't be unique, so the name decides, not the rank.

    Every unit likes the colours in an order of its own, which its name fixes; where two like the
    same best, the name also decides which gets it. So a unit has its colour on every page and in
    every month, whatever its rank. Only when a unit comes into or drops out of the leading ones
    can another that wanted the same colour change.
    """
    free_units, free_colours = set(units[:SERIES]), set(range(SERIES))
    chosen: dict[str, int] = {}
    wishes = ((unit, colour) for unit in free_units for colour in range(SERIES))
    for unit, colour in sorted(wishes, key=lambda wish: _preference(*wish)):
        if unit not in chosen and colour in free_colours:
            chosen[unit] = colour
            free_colours.remove(colour)
    return chosen


def _preference(unit: str, colour: int) -> bytes:
    return hashlib.sha256(f"{colour}{unit}".encode()).digest()
