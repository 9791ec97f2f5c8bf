"""Tables: a row is the way down. What is shown is written as everywhere else (formats.py)."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import nsmallest
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from chargeback import formats
from chargeback.dimensions import UNALLOCATED
from chargeback.files.csv_file import write_csv
from chargeback.formats import ABSENT, change_percent, count, money, signed_money
from chargeback.money import exact_sum
from chargeback.ui.markdown import plain

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ButtonColumnResult, ColumnConfig

Kind = Literal[
    "text",
    "money",
    "money_change",
    "change",
    "share",
    "tokens",
    "number",
    "percent",
    "day",
    "line",
]

LONGEST: Final = 1000
"""Rows of a table: nobody reads more, and Streamlit fails from some ten thousand on."""
_SCALE: Final = Decimal("0.000001")
_LEAST_PERCENTAGE: Final = 0.05
ROWS_SHOWN: Final = 15
ROW_PIXELS: Final = 33
"""Height of a row at the base font size in .streamlit/config.toml: Streamlit's 2.1875 rem."""

NAME_PIXELS: Final = 7
"""Width of a letter, on average."""
WIDEST_NAME: Final = 215


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is headed and written.

    Kinds: text; money; money_change (with its sign); change (a ratio, with its sign); share (a
    ratio, with a bar); percent (a ratio); tokens; number (a whole number); day (a date); line
    (floats, oldest first). Money and ratios are Decimal, None where they don't apply. A pinned
    column stays in sight when a wide table is scrolled.
    """

    label: str
    kind: Kind = "text"
    help: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """The rows of a frame that are shown, and what the others are."""

    shown: pd.DataFrame
    positions: list[int]
    """Where each row that is shown stands in the frame."""
    left_out: int
    cost: Decimal | None
    """What the rows left out come to; None if the frame holds no money."""


DEFAULT: Final = (
    "name",
    "cost",
    "share",
    "change_percent",
    "history",
    "cost_per_million",
    "top_model",
)


def ranked_table(  # noqa: PLR0913 -- each says what stands in the table
    frame: pd.DataFrame,
    *,
    what: str,
    currency: str,
    key: str,
    previous_label: str,
    columns: Sequence[str] = DEFAULT,
) -> str | None:
    """Draws Reports.ranking's frame; a click on a name or a row's box chooses the row.

    Args:
        frame: one row per unit, in the order to show; with a column `change_percent` where that is
            not all of `cost` against all of `previous_cost`.
        what: what a unit is, as one word: 'tenant'.
        currency: of all amounts.
        key: of the widget; rows chosen are in the session's state under it.
        previous_label: the month that `change_percent` compares with: 'September'.
        columns: which of the frame's columns to show, and `change_percent`.

    Returns:
        The chosen row's `unit`, None if no row is chosen.
    """
    st.caption(plain(f"{_counted(frame, what)} · {money(sum(frame['cost'], Decimal()), currency)}"))
    shown = frame
    if "change_percent" not in frame:
        pairs = zip(frame["cost"], frame["previous_cost"], strict=True)
        changes = [change_percent(now, before) for now, before in pairs]
        shown = frame.assign(change_percent=pd.Series(changes, index=frame.index, dtype=object))
    known = _ranking_columns(what, currency, previous_label)
    row = plain_table(
        shown,
        columns={name: known[name] for name in columns},
        currency=currency,
        key=key,
        select=True,
        what=f"{what.capitalize()}s by spend",
    )
    return None if row is None else str(frame["unit"].iloc[row])


def plain_table(  # noqa: PLR0913 -- each says what stands in the table
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, Column],
    currency: str,
    key: str,
    select: bool = False,
    what: str = "",
) -> int | None:
    """Draws a frame; with `select`, a click on a row's first cell or its box chooses the row.

    Args:
        frame: rows in the order to show.
        columns: the frame's columns to show, in order.
        currency: of all amounts.
        key: of the widget; rows chosen are in the session's state under it.
        select: whether a row can be chosen; the first column is then text.
        what: the table's name for those who can't see it.

    Returns:
        The position in `frame` of the chosen row, None if no row is chosen.
    """
    amounts = [name for name, at in columns.items() if at.kind == "money"]
    of = cut(frame, amounts[0] if amounts else None)
    row = _draw(of.shown, columns, currency, key, what, select=select)
    _say_left_out(of, currency)
    return None if row is None else of.positions[row]


def _draw(  # noqa: PLR0913 -- as above
    frame: pd.DataFrame,
    columns: Mapping[str, Column],
    currency: str,
    key: str,
    what: str,
    *,
    select: bool,
) -> int | None:
    shown = pd.DataFrame({name: _cells(frame[name], at.kind) for name, at in columns.items()})
    configs: dict[str, Any] = {name: _config(at, frame[name]) for name, at in columns.items()}
    draw: dict[str, Any] = {
        "height": _height(len(frame)),
        "hide_index": True,
        "key": key,
        "placeholder": ABSENT,
        "alt": what or None,
    }
    if not select:
        st.dataframe(_written(shown, columns, currency), column_config=configs, **draw)
        return None
    first, opened = next(iter(columns)), f"{key} opened"
    shown[first] = shown[first].map(_button_label)
    configs[first] = _button(columns[first], opened, frame[first])
    state = st.dataframe(
        _written(shown, columns, currency),
        column_config=configs,
        on_select="rerun",
        selection_mode="single-row",
        **draw,
    )
    return _chosen(state.selection.rows, st.session_state.get(opened), len(frame))


def cut(frame: pd.DataFrame, money_column: str | None, longest: int = LONGEST) -> Cut:
    """Cuts a frame to its largest rows, in its own order; `(unallocated)` always stays.

    Args:
        frame: with a column `unit` or `bill_to` where a row can be `(unallocated)`.
        money_column: by which rows are large, credits as much as charges; None: the first rows.
        longest: how many rows may stay.
    """
    if len(frame) <= longest:
        return Cut(frame, list(range(len(frame))), 0, None if money_column is None else Decimal())
    absent = [None] * len(frame)
    amounts: list[Decimal] = [
        amount or Decimal() for amount in (frame[money_column] if money_column else absent)
    ]
    always = _unallocated(frame)
    sizes = [(i not in always, -abs(amount), i) for i, amount in enumerate(amounts)]
    kept = sorted(position for *_, position in nsmallest(longest, sizes))
    rest = exact_sum(amounts[i] for i in {*range(len(frame))} - {*kept})
    left_out = len(frame) - len(kept)
    return Cut(frame.iloc[kept], kept, left_out, None if money_column is None else rest)


def download_button(label: str, make: Callable[[], bytes], file_name: str, key: str) -> None:
    """Offers a file that is made only when asked for; the page does not run again."""
    st.download_button(
        plain(label),
        make,
        file_name,
        mimetypes.guess_type(file_name)[0] or "application/octet-stream",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def frame_csv(frame: pd.DataFrame, columns: Sequence[str]) -> bytes:
    """These columns of a frame as CSV, exact and safe for spreadsheets."""
    out = BytesIO()
    write_csv(out, columns, frame[list(columns)].itertuples(index=False, name=None))
    return out.getvalue()


def per_million(currency: str) -> str:
    """Heads a column of costs per million tokens."""
    return f"{formats.symbol(currency).strip()}/1M tokens"


def _ranking_columns(what: str, currency: str, previous_label: str) -> dict[str, Column]:
    return {
        "name": Column(what.capitalize(), pinned=True),
        "account": Column("Account"),
        "principal_type": Column("Kind"),
        "cost": Column("Spend", "money"),
        "previous_cost": Column(previous_label, "money"),
        "share": Column("Share", "share"),
        "change": Column(f"Δ {previous_label}", "money_change"),
        "change_percent": Column(f"Δ {previous_label}", "change"),
        "history": Column("13 months", "line"),
        "tokens": Column("Tokens", "tokens"),
        "cost_per_million": Column(per_million(currency), "money"),
        "top_model": Column("Top model"),
        "cache_saving": Column(
            "Cache savings", "money", "What cached tokens would have cost more as ordinary input."
        ),
    }


def _counted(frame: pd.DataFrame, what: str) -> str:
    named = int((frame["unit"] != UNALLOCATED).sum())
    return count(named, what) + (f" and {UNALLOCATED}" if named < len(frame) else "")


def _unallocated(frame: pd.DataFrame) -> set[int]:
    """The positions of rows that are `(unallocated)`."""
    units = next((frame[name] for name in ("unit", "bill_to") if name in frame), ())
    return {position for position, unit in enumerate(units) if unit == UNALLOCATED}


def _say_left_out(of: Cut, currency: str) -> None:
    if not of.left_out:
        return
    rows = count(of.left_out, "more row")
    said = rows if of.cost is None else f"{rows}, the smallest: {money(of.cost, currency)}"
    st.caption(plain(f"{said}. The CSV has every row."))


def _written(shown: pd.DataFrame, columns: Mapping[str, Column], currency: str) -> Styler:
    """The numbers stay numbers, so that they sort; the style says how each is written.

    Streamlit's own money formats follow the reader's browser: the same table would read 1.804,00
    to one and 1,804.00 to another, beside a page that writes one way for all.
    """
    writers: dict[Kind, Callable[..., str]] = {
        "money": lambda value: money(value, currency),
        "money_change": lambda value: signed_money(value, currency),
        "change": formats.signed_percent,
        "percent": formats.percent,
        "tokens": formats.tokens,
        "number": lambda value: f"{int(value):,}",  # pandas makes it a float beside an absent one
        "day": formats.day_name,
    }
    written: dict[Any, str | Callable[[object], str] | None] = {
        name: writers[at.kind] for name, at in columns.items() if at.kind in writers
    }
    return shown.style.format(written, na_rep=ABSENT)


def _cells(values: pd.Series[Any], kind: Kind) -> list[Any]:
    if kind in ("money", "money_change", "change", "percent"):
        # One scale for the column: the browser's table takes no decimals of over 38 digits.
        return [None if value is None else value.quantize(_SCALE) for value in values]
    if kind == "share":
        return [None if value is None else _percentage(value) for value in values]
    if kind == "line":
        # The line starts at zero, or small changes would look large, and so has no place for a
        # month of more credits than usage. Four digits are more than its pixels can show.
        return [[float(f"{max(value, 0.0):.4g}") for value in line] for line in values]
    return list(values)


def _percentage(share: Decimal) -> float:
    """In percent; never one that is written as a negative zero."""
    percentage = float(share * 100)
    return 0.0 if -_LEAST_PERCENTAGE < percentage < 0 else percentage


def _config(column: Column, values: pd.Series[Any]) -> ColumnConfig:
    made = st.column_config
    common: dict[str, Any] = {"help": column.help, "pinned": column.pinned or None}
    match column.kind:
        case "text":
            return made.TextColumn(column.label, **common)
        case "line":
            return made.LineChartColumn(column.label, width=90, y_min=0, **common)
        case "share":
            end = _bar_end(values)
            common |= {"width": 110, "max_value": end}
            return made.ProgressColumn(column.label, format="%.1f %%", **common)
        case "day":
            return made.DateColumn(column.label, **common)
        case _:
            return made.NumberColumn(column.label, **common)


def _bar_end(shares: pd.Series[Any]) -> int:
    """What a full bar stands for, in percent, so that the largest takes up half of it or more."""
    largest = max((share for share in shares if share is not None), default=Decimal(1)) * 100
    return next((end for end in (5, 10, 20, 40) if largest <= end), 100)


def _height(rows: int) -> int | Literal["content"]:
    """All rows, or as many as fit and half of the next: a cut row shows that there is more."""
    return "content" if rows <= ROWS_SHOWN else int((ROWS_SHOWN + 1.5) * ROW_PIXELS)


def _button(column: Column, key: str, names: pd.Series[Any]) -> ButtonColumnResult:
    """The way down: a click on the name, or a box that the keyboard reaches.

    Not Streamlit's cell selection, which would take a click anywhere: it also selects a cell when
    the table is sorted or reached with the tab key, and so would leave the page unasked.
    """
    return st.column_config.ButtonColumn(
        column.label,
        # Streamlit makes a column of buttons as wide as its heading, and cuts the names.
        width=min(max((len(name) for name in names), default=0) * NAME_PIXELS + 34, WIDEST_NAME),
        key=key,
        type="tertiary",
        alignment="left",
        pinned=column.pinned or None,
        help=column.help,
    )


def _button_label(text: str) -> str:
    """A leading invisible character keeps Streamlit from reading an icon or a list in a name."""
    return f"\N{WORD JOINER}{text}" if text.lstrip().startswith((":", "[")) else text


def _chosen(selected: Sequence[int], opened: Mapping[str, int] | None, rows: int) -> int | None:
    picked = [opened["row"]] if opened else list(selected)
    return next((row for row in picked if row < rows), None)
