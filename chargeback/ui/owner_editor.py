"""The table in which an owner list is edited, and which list a session has opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback.attribution.owner_draft import Entry, ReadList, read_list
from chargeback.attribution.owners import COLUMNS, DATES, KEYS, NOTES
from chargeback.dimensions import BY_NAME

LINE: Final = "line"
LONGEST: Final = 5000
"""Rows that can be edited here: a browser holds all of them at once."""
ROWS_SHOWN: Final = 15
ROW_PIXELS: Final = 33
"""Height of a row at the base font size in .streamlit/config.toml: Streamlit's 2.1875 rem."""
_OPENED: Final = "owner list"
"""Where the session keeps the list that it opened, while there is anything to save."""
_LABELS: Final = {
    "iam_principal": "IAM principal",
    "usage_account_id": "Account",
    "effective_from": "From",
    "effective_to": "Until",
    "owner_email": "Owner’s e-mail",
    "note": "Note",
}
_HELP: Final = {
    "iam_principal": "The ARN as billed, or that of its role. * stands for any text. Empty: any.",
    "usage_account_id": "Twelve digits. Empty: any account.",
    "effective_from": "The first day of usage it applies to. Empty: from the beginning.",
    "effective_to": "The first day of usage it no longer applies to. Empty: no end.",
    "owner_email": "Whom to ask. Has no effect on charges.",
    "note": "For your own use. Has no effect on charges.",
}


@dataclass(frozen=True)
class Opened:
    """A list as a session opened it: what it edits is this, whatever others save meanwhile."""

    read: ReadList
    added: tuple[str, ...]
    """ARNs that the address asks to add."""
    turn: int
    """How often the session began anew: a table that begins anew is another one."""

    @property
    def key(self) -> str:
        """Of the table."""
        return f"owners {self.read.sha256[:16]} {self.turn} {hash(self.added)}"

    @property
    def entries(self) -> list[Entry]:
        """What the table begins with."""
        new = (Entry.of({"iam_principal": arn}) for arn in self.added)
        return [*self.read.entries, *new]

    @property
    def is_edited(self) -> bool:
        """Whether anybody changed anything in the table."""
        state: Mapping[str, Any] = st.session_state.get(self.key) or {}
        return any(state.values())


def opened(path: Path, asked: Sequence[str]) -> Opened:
    """The list that the session has opened: the file's newest, unless something is edited.

    Args:
        path: of the list.
        asked: ARNs that the address asks to add.

    Raises:
        OwnerListError: the file can't be read.
        UsageProblem: its lines can't be told apart.
    """
    known: tuple[Path, Opened] | None = st.session_state.get(_OPENED)
    if known and known[0] == path and known[1].is_edited:
        return known[1]
    read, turn = read_list(path), known[1].turn if known else 0
    listed = {entry.cells["iam_principal"] for entry in read.entries}
    new = dict.fromkeys(Entry.of({"iam_principal": arn}).cells["iam_principal"] for arn in asked)
    now = Opened(read, tuple(arn for arn in new if arn and arn not in listed), turn)
    st.session_state[_OPENED] = (path, now)
    return now


def begin_anew() -> None:
    """Forgets what was edited and not saved."""
    path, known = st.session_state[_OPENED]
    st.session_state[_OPENED] = (path, Opened(known.read, (), known.turn + 1))


def edited(list_: Opened, asked: Sequence[str]) -> list[Entry]:
    """Draws the table; returns its rows as they are now.

    Args:
        list_: what is edited.
        asked: the dimensions that the rules ask the list for.
    """
    entries = list_.entries
    frame = pd.DataFrame({name: _column(name, entries) for name in (LINE, *COLUMNS)})
    shown = st.data_editor(
        frame,
        key=list_.key,
        num_rows="dynamic",
        column_order=[LINE, *_shown(entries, asked)],
        column_config=_configs(frame),
        height=_height(len(frame)),
        placeholder="",
        alt="Owner list",
    )
    return [_entry(row) for row in shown.to_dict("records")]


def labels(entries: Sequence[Entry], asked: Sequence[str]) -> dict[str, str]:
    """The columns to show of a list, with their headings."""
    return {name: _label(name) for name in _shown(entries, asked)}


def _shown(entries: Sequence[Entry], asked: Sequence[str]) -> list[str]:
    """All columns but those of dimensions that nobody asks for and nobody filled."""
    filled = {name for entry in entries for name, text in entry.cells.items() if text}
    return [name for name in COLUMNS if name in {*KEYS, *DATES, *NOTES, *asked} | filled]


def _label(name: str) -> str:
    return BY_NAME[name].label if name in BY_NAME else _LABELS[name]


def _column(name: str, entries: Sequence[Entry]) -> pd.Series[Any]:
    if name == LINE:
        return pd.Series([entry.line for entry in entries], dtype="Int64")
    texts = [entry.cells[name] for entry in entries]
    if name in DATES and (days := _days(texts)) is not None:
        return pd.Series(days, dtype="datetime64[s]")
    return pd.Series(texts, dtype="str")


def _days(texts: Sequence[str]) -> list[date | None] | None:
    """The dates; None if one of them is none, and so can only be shown as it is written."""
    try:
        return [date.fromisoformat(text) if text else None for text in texts]
    except ValueError:
        return None


def _configs(frame: pd.DataFrame) -> dict[str, Any]:
    made = st.column_config
    config: dict[str, Any] = {
        LINE: made.NumberColumn("Line", disabled=True, pinned=True, width=54),
    }
    for name in COLUMNS:
        common: dict[str, Any] = {"help": _HELP.get(name)}
        if name in DATES and not pd.api.types.is_string_dtype(frame[name]):
            config[name] = made.DateColumn(_label(name), format="YYYY-MM-DD", **common)
        else:
            config[name] = made.TextColumn(_label(name), **common)
    return config


def _height(rows: int) -> int:
    """All rows and the one that is always left to fill, or as many as fit and half of the next."""
    return int((min(rows, ROWS_SHOWN) + 2.1 + (rows > ROWS_SHOWN) * 0.4) * ROW_PIXELS)


def _entry(row: Mapping[Any, Any]) -> Entry:
    line = row[LINE]
    cells = {name: _text(row[name]) for name in COLUMNS}
    return Entry.of(cells, None if pd.isna(line) else int(line))


def _text(cell: Any) -> str:  # noqa: ANN401  (whatever a cell of a frame may hold)
    if isinstance(cell, date):
        return cell.isoformat()[:10] if not pd.isna(cell) else ""
    return cell if isinstance(cell, str) else ""
