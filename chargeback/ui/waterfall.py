"""The chart of a bridge: a month, what changed, the next month, one bar under the other."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final

from plotly.graph_objects import Figure  # type: ignore[attr-defined]

from chargeback.formats import money, signed_money
from chargeback.ui import charts
from chargeback.ui.theme import COLOURS, UNALLOCATED_COLOUR, Base

BAR_PIXELS: Final = 34
_BELOW: Final = 0.35
"""Of the steps' width, how much of the months' bars is left: their whole would dwarf the steps."""
_AMOUNT_PIXELS: Final = 92
"""Room for the amounts, in a column to the right of the bars."""
_LABEL_LENGTH: Final = 18
"""Characters of a label before it goes on in a second line: a phone has little room."""


def waterfall(
    labels: Sequence[str], amounts: Sequence[Decimal], currency: str, base: Base
) -> Figure:
    """A month, what changed, the next month: one bar under the other.

    Args:
        labels: of the bars.
        amounts: the first month's, each step's, the last month's.
        currency: of all amounts.
        base: whether the page is light or dark now.
    """
    first, *steps, last = amounts
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "measure": ["absolute", *("relative" for _ in steps), "total"],
        "y": list(range(len(amounts))),
        "x": [float(amount) for amount in amounts],
        "hoverinfo": "skip",
        "connector": {"line": {"color": UNALLOCATED_COLOUR[base], "width": 1}},
        "increasing": {"marker": {"color": COLOURS[base][1]}},
        "decreasing": {"marker": {"color": COLOURS[base][0]}},
        "totals": {"marker": {"color": UNALLOCATED_COLOUR[base]}},
    }
    said = [money(first, currency), *(signed_money(s, currency) for s in steps)]
    layout = _layout(amounts, labels, [*said, money(last, currency)])
    return Figure([trace], layout)  # type: ignore[no-untyped-call]


def _layout(
    amounts: Sequence[Decimal], labels: Sequence[str], said: Sequence[str]
) -> dict[str, Any]:
    first, *steps, _ = (float(amount) for amount in amounts)
    levels = [first]
    for step in steps:
        levels.append(levels[-1] + step)
    low, high = min(levels), max(levels)
    span = high - low or abs(high) or 1.0
    start = low - _BELOW * span
    return {
        **charts.BASE_LAYOUT,
        "height": BAR_PIXELS * len(amounts) + 16,
        "margin": {"l": 0, "r": _AMOUNT_PIXELS, "t": 8, "b": 0},
        "bargap": 0.35,
        "showlegend": False,
        "xaxis": {
            "range": [max(start, 0.0) if low >= 0 else start, high + 0.02 * span],
            "visible": False,
        },
        "yaxis": {
            "autorange": "reversed",
            "automargin": True,
            "showgrid": False,
            "tickvals": list(range(len(labels))),
            "ticktext": ["<br>".join(wrap(label, _LABEL_LENGTH)) for label in labels],
            "title": {"text": ""},
        },
        "annotations": [
            {
                "text": text,
                "x": 1,
                "xref": "paper",
                "xanchor": "left",
                "xshift": 8,
                "y": row,
                "showarrow": False,
            }
            for row, text in enumerate(said)
        ],
    }
