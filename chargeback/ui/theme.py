"""Colours of the charts. Everything else about the look is in `.streamlit/config.toml`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

from chargeback.dimensions import UNALLOCATED
from chargeback.reports.ranking import OTHERS

Base = Literal["light", "dark"]

COLOURS: Final[dict[Base, tuple[str, ...]]] = {
    "light": (
        *("#0C757F", "#4C5FD7", "#C47D00", "#C2415B", "#3B8F5A"),
        *("#7C5CBF", "#2B86BD", "#9A5B2C", "#7A8A1E", "#BC55A4"),
    ),
    "dark": (
        *("#3FB6BF", "#8A97F0", "#F0B03F", "#E3728A", "#6CC08B"),
        *("#A98BE0", "#62B6E8", "#CC9468", "#B4C255", "#E08FCB"),
    ),
}
"""The colours of named units; a lone series has the first."""
OTHERS_COLOUR: Final[dict[Base, str]] = {"light": "#5D6979", "dark": "#B1BAC5"}
UNALLOCATED_COLOUR: Final[dict[Base, str]] = {"light": "#8994A3", "dark": "#6B7683"}

SERIES: Final = len(COLOURS["light"])
"""As many units as a chart can name; the rest are others."""


def colours(units: Sequence[str], leading: Sequence[str], base: Base) -> dict[str, str]:
    """The colour of everything in a chart: named units, others and `(unallocated)`.

    A unit has the colour of its place among those that lead over all months of the whole bill: the
    same on every page, in every month and under every filter, and no two of them share one. A unit
    further down has one that its name picks among those left free by the others of its chart.

    Args:
        units: what the chart shows; at most SERIES of them named.
        leading: SERIES units at most, largest first (reports.leading).
        base: whether the page is light or dark now.
    """
    if len(units) == 1:
        return {units[0]: COLOURS[base][0]}
    named = [unit for unit in units if unit not in {OTHERS, UNALLOCATED}]
    chosen = {unit: leading.index(unit) for unit in named if unit in leading}
    for unit in sorted({*named} - {*chosen}):
        free = sorted({*range(SERIES)} - {*chosen.values()})
        chosen[unit] = free[_number(unit) % len(free)]
    shades = {unit: COLOURS[base][place] for unit, place in chosen.items()}
    return shades | {OTHERS: OTHERS_COLOUR[base], UNALLOCATED: UNALLOCATED_COLOUR[base]}


def _number(name: str) -> int:
    """The same on every machine, which Python's own hash is not."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8])
