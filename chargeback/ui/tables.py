"""Tables of the pages: rankings and plain frames, cut to a length that somebody reads."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from heapq import nsmallest
from io import BytesIO
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback import formats
from chargeback.dimensions import UNALLOCATED
from chargeback.files.csv_file import write_csv
from chargeback.formats import change_percent, count
from chargeback.reports.frames import sums
from chargeback.reports.ranking import OTHERS, ranking_total, unit_count
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column, Rows, draw_table

LONGEST: Final = 1000
"""Rows of a table: nobody reads more."""

DEFAULT: Final = (
    "name",
    "cost",
    "share",
    "change_percent",
    "history",
    "cost_per_million",
    "top_model",
)
_ADDS: Final = frozenset({"money", "money_change", "exact_money", "share", "tokens", "number"})
"""Kinds of columns whose cells add up, where the table has a total."""


def ranked_table(  # noqa: PLR0913 -- each says what stands in the table
    frame: pd.DataFrame,
    *,
    what: str,
    currency: str,
    key: str,
    previous_label: str,
    columns: Sequence[str] = DEFAULT,
    current: str | None = None,
    total: Mapping[str, Any] | None = None,
) -> str | None:
    """Draws Reports.ranking's frame with its total; a click on a row chooses it.

    Args:
        frame: one row per unit, in the order to show; with a column `change_percent` where that is
            not all of `cost` against all of `previous_cost`.
        what: what a unit is, as one word: 'tenant'.
        currency: of all amounts.
        key: of the widget.
        previous_label: the month that `change_percent` compares with: 'September'.
        columns: which of the frame's columns to show, and `change_percent`.
        current: the unit whose details are open.
        total: what columns come to that are not of every ranking.

    Returns:
        The `unit` of the row that was just clicked, None if none was.
    """
    st.caption(plain(_counted(frame, what)))
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
        total=ranking_total(frame) | {**(total or {})},
        current=position_of(current, frame["unit"]),
        closed=[place for place, unit in enumerate(frame["unit"]) if unit == OTHERS],
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
    total: Mapping[str, Any] | None = None,
    current: int | None = None,
    closed: Collection[int] = (),
) -> int | None:
    """Draws a frame; with `select`, a click on a row chooses it.

    Args:
        frame: rows in the order to show; those at its end whose `unit` or `bill_to` is others or
            `(unallocated)` stay there however a reader sorts.
        columns: the frame's columns to show, in order; the first says what a row is.
        currency: of all amounts.
        key: of the widget.
        select: whether a row can be chosen.
        what: the table's name for those who can't see it.
        total: what columns come to, exact; for a row below that does not sort away.
        current: the position in `frame` of the row whose details are open.
        closed: the positions in `frame` of rows that lead nowhere.

    Returns:
        The position in `frame` of the row that was just clicked, None if none was.
    """
    amounts = [name for name, at in columns.items() if at.kind in ("money", "exact_money")]
    kept = largest(frame, amounts[0] if amounts else None)
    last = _last(frame)
    values = {name: list(frame[name].iloc[kept]) for name in columns}
    positions: list[int | None] = [*kept]
    if len(kept) < len(frame):
        place = len(kept) - last
        for name, value in _others(frame, kept, columns, total or amounts[:1]).items():
            values[name].insert(place, value)
        positions.insert(place, None)
        last += 1
    shown = position_of(current, positions) if current is not None else None
    leads_nowhere = frozenset(i for i, at in enumerate(positions) if at is None or at in closed)
    rows = Rows(columns, values, last, leads_nowhere, shown, total)
    row = draw_table(rows, currency=currency, key=key, what=what, opens=select)
    return None if row is None else positions[row]


def position_of(value: object, values: Iterable[object]) -> int | None:
    """Where a value stands first, None where it does not."""
    return next((place for place, each in enumerate(values) if each == value), None)


def largest(frame: pd.DataFrame, money_column: str | None, longest: int = LONGEST) -> list[int]:
    """The positions of a frame's largest rows, in its own order; `(unallocated)` always stays.

    Args:
        frame: with a column `unit` or `bill_to` where a row can be `(unallocated)`.
        money_column: by which rows are large, credits as much as charges; None: the first rows.
        longest: how many rows may stay.
    """
    if len(frame) <= longest:
        return list(range(len(frame)))
    absent = [None] * len(frame)
    amounts: list[Decimal] = [
        amount or Decimal() for amount in (frame[money_column] if money_column else absent)
    ]
    always = {row for row, unit in enumerate(_units(frame)) if unit == UNALLOCATED}
    sizes = [(row not in always, -abs(amount), row) for row, amount in enumerate(amounts)]
    return sorted(row for *_, row in nsmallest(longest, sizes))


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
    versus = f"vs {previous_label}"
    return {
        "name": Column(what.capitalize(), pinned=True),
        "account": Column("Account"),
        "principal_type": Column("Kind"),
        "cost": Column("Spend", "money"),
        "previous_cost": Column(previous_label, "money"),
        "share": Column("Share", "share"),
        "change": Column(versus, "money_change"),
        "change_percent": Column(versus, "change"),
        "history": Column("History", "line"),
        "tokens": Column("Tokens", "tokens"),
        "cost_per_million": Column(per_million(currency), "price"),
        "top_model": Column("Top model"),
        "cache_saving": Column(
            "Cache savings", "money", "What cached tokens would have cost more as ordinary input."
        ),
    }


def _counted(frame: pd.DataFrame, what: str) -> str:
    named = frame[frame["unit"] != UNALLOCATED]
    rest = f" and {UNALLOCATED}" if len(named) < len(frame) else ""
    return count(unit_count(named), what) + rest


def _units(frame: pd.DataFrame) -> list[str]:
    """What each row is; nothing where a frame does not say."""
    return next((list(frame[name]) for name in ("unit", "bill_to") if name in frame), [])


def _last(frame: pd.DataFrame) -> int:
    """How many rows at a frame's end stand for nobody by name."""
    named = [unit not in (OTHERS, UNALLOCATED) for unit in reversed(_units(frame))]
    return named.index(True) if True in named else len(named)


def _others(
    frame: pd.DataFrame, kept: Sequence[int], columns: Mapping[str, Column], added: Collection[str]
) -> dict[str, Any]:
    """All rows that are left out, as one."""
    rest = frame.drop(frame.index[list(kept)])
    what_adds = [name for name in columns if name in added and columns[name].kind in _ADDS]
    row = dict.fromkeys(columns) | sums(rest, *what_adds)
    return row | {next(iter(columns)): f"{count(len(rest), 'other')}, in the CSV"}
