"""One table as a statement has it: cells as people read them, a total below, rows that lead on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd
import streamlit as st

from chargeback import formats
from chargeback.formats import ABSENT, compact_money, count, decimals_of, digits, exact_money
from chargeback.money import EXACT, LAST_DIGIT

if TYPE_CHECKING:
    from streamlit.components.v2.bidi_component.state import BidiComponentResult

Kind = Literal[
    "text",
    "money",
    "price",
    "exact_money",
    "quantity",
    "money_change",
    "change",
    "share",
    "tokens",
    "number",
    "percent",
    "day",
    "time",
    "line",
]
Values = Mapping[str, Sequence[Any]]
"""The cells of each column, from top to bottom."""

NOT_NUMBERS: Final = frozenset({"text", "day", "time", "line"})
MONTHS_OF_A_LINE: Final = 13


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is headed and written.

    Kinds: text; money; price (money that doesn't add up); exact_money (with all its decimals);
    quantity (a number with all its decimals); money_change (with its sign); change (a ratio, with
    its sign); share (a ratio, with a bar); percent (a ratio); tokens; number (a whole number); day
    (a date); time (UTC); line (floats, oldest first). Money and ratios are Decimal, None where
    they don't apply. A pinned column stays in sight when a wide table is scrolled.
    """

    label: str
    kind: Kind = "text"
    help: str | None = None
    pinned: bool = False
    zero_is_absent: bool = False
    """Whether zero is written as a dash, so that what is there stands out."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What stands in a table, and which of its rows are special."""

    columns: Mapping[str, Column]
    values: Values
    last: int = 0
    """How many rows at the end stay there however the table is sorted."""
    closed: frozenset[int] = frozenset()
    """Rows that lead nowhere."""
    current: int | None = None
    """The row whose details are open."""
    total: Mapping[str, Any] | None = None
    """What the columns come to; a column without is left empty."""


def draw_table(rows: Rows, *, currency: str, key: str, what: str, opens: bool) -> int | None:
    """Draws a table in the browser, where it can be sorted and searched.

    Args:
        rows: what stands in it.
        currency: of all amounts.
        key: of the widget.
        what: the table's name for those who can't see it.
        opens: whether a click on a row leads on.

    Returns:
        The row that was just clicked, None if none was.
    """
    drawn: BidiComponentResult = _component()(
        data=data_of(rows, currency, what, opens=opens), key=key, on_opened_change=_rerun
    )
    return _opened(drawn.opened, rows) if opens else None


def data_of(rows: Rows, currency: str, what: str, *, opens: bool) -> dict[str, Any]:
    """What the browser needs: texts as they are shown, and values to sort by."""
    return {
        "what": what,
        "rows": _length(rows),
        "last": rows.last,
        "opens": opens,
        "closed": sorted(rows.closed),
        "current": rows.current,
        "hasTotal": rows.total is not None,
        "columns": [_column(name, rows, currency) for name in rows.columns],
    }


def _component() -> Any:  # noqa: ANN401 -- Streamlit's own type is not public
    return st.components.v2.component("chargeback.table", js=_JS, css=_CSS)


_JS: Final = Path(__file__).with_name("table.js").read_text("utf-8")
_CSS: Final = Path(__file__).with_name("table.css").read_text("utf-8")


def _rerun() -> None:
    """Streamlit only listens to a component that has a callback."""


def _opened(clicked: Mapping[str, Any] | None, rows: Rows) -> int | None:
    """A click is for the row that the reader saw: another may stand there by now."""
    if clicked is None:
        return None
    row, names = int(clicked["row"]), next(iter(rows.values.values()))
    stands_there = row < len(names) and str(names[row]) == clicked["name"]
    return row if stands_there and row not in rows.closed else None


def _length(rows: Rows) -> int:
    return len(next(iter(rows.values.values())))


def _column(name: str, rows: Rows, currency: str) -> dict[str, Any]:
    column, values = rows.columns[name], rows.values[name]
    write = _writer(column, values, currency)
    made: dict[str, Any] = {
        "name": name,
        "label": _label(column, values),
        "kind": "text" if column.kind in ("day", "time") else column.kind,
        "numeric": column.kind not in NOT_NUMBERS,
        "help": column.help or "",
        "pinned": column.pinned,
        "texts": [write(value) for value in values],
    }
    if column.kind != "text":
        made["values"] = [_value(value) for value in values]
    if rows.total is not None:
        total = rows.total.get(name)
        made["total"] = "" if total is None and column.kind in NOT_NUMBERS else write(total)
        made["totalValue"] = _value(total)
    return made


def _label(column: Column, values: Sequence[Any]) -> str:
    """A line of units that are all new has fewer months than its heading would say."""
    if column.kind != "line":
        return column.label
    longest = max((len(line) for line in values if line is not None), default=0)
    return f"{longest} months" if longest >= MONTHS_OF_A_LINE else "History"


def _writer(column: Column, values: Sequence[Any], currency: str) -> Callable[[Any], str]:
    write = _WRITERS[column.kind](values, currency)

    def written(value: Any) -> str:  # noqa: ANN401 -- of any column
        if is_absent(value) or (column.zero_is_absent and value == 0):
            return ABSENT
        return write(value)

    return written


def is_absent(value: Any) -> bool:  # noqa: ANN401 -- of any column
    """Whether a cell holds nothing: pandas makes None a NaN or a NaT in some columns."""
    return value is None or (not isinstance(value, list) and bool(pd.isna(value)))


def _value(value: Any) -> Any:  # noqa: ANN401 -- of any column
    """What a column is sorted by, as JSON has it."""
    if is_absent(value):
        return None
    if isinstance(value, Decimal):
        return f"{EXACT.quantize(value, LAST_DIGIT).normalize(EXACT):f}"
    if isinstance(value, list):
        # Four digits are more than the pixels of a line can show. It starts at zero, or small
        # changes would look large, and so has no place for a month of more credits than usage.
        return [float(f"{max(number, 0.0):.4g}") for number in value]
    return value.isoformat() if hasattr(value, "isoformat") else int(value)


def _of_each(write: Callable[[Any, str], str]) -> Callable[[Sequence[Any], str], Any]:
    return lambda _, currency: lambda value: write(value, currency)


def _aligned(
    write: Callable[[Decimal, str, int], str],
) -> Callable[[Sequence[Any], str], Callable[[Decimal], str]]:
    """As many decimals as the longest needs, so that the points stand below each other."""

    def writer(values: Sequence[Any], currency: str) -> Callable[[Decimal], str]:
        known = [value for value in values if not is_absent(value)]
        most = max(map(decimals_of, known), default=0)
        return lambda value: write(value, currency, max(most, decimals_of(value)))

    return writer


def _line_in_words(line: Sequence[float], currency: str) -> str:
    first, highest, last = (
        compact_money(Decimal(str(round(amount, 2))), currency)
        for amount in (line[0], max(line), line[-1])
    )
    return f"{count(len(line), 'month')}: {first} to {last}, at most {highest}"


_WRITERS: Final[Mapping[Kind, Callable[[Sequence[Any], str], Callable[[Any], str]]]] = {
    "text": _of_each(lambda value, _: str(value)),
    "money": _of_each(formats.money),
    "price": _of_each(formats.money),
    "exact_money": _aligned(exact_money),
    "quantity": _aligned(lambda value, _, most: digits(value, most)),
    "money_change": _of_each(formats.signed_money),
    "change": _of_each(lambda value, _: formats.signed_percent(value)),
    "share": _of_each(lambda value, _: formats.percent(value)),
    "percent": _of_each(lambda value, _: formats.percent(value)),
    "tokens": _of_each(lambda value, _: formats.tokens(value)),
    "number": _of_each(lambda value, _: f"{int(value):,}"),
    "day": _of_each(lambda value, _: formats.day_name(value)),
    "time": _of_each(lambda value, _: f"{value:%Y-%m-%d %H:%M}"),
    "line": _of_each(_line_in_words),
}
