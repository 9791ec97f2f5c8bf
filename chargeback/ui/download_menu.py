"""One menu with all files of a page, beside its title: sections put theirs in as they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from chargeback.ui.markdown import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_MENU: Final = "download menu"


@dataclass(slots=True)
class Menu:
    """The menu of one run of a page."""

    place: DeltaGenerator
    """Where it stands; nothing stands there until there is a file."""
    is_part: bool
    files: DeltaGenerator | None = None


def reserve(*, is_part: bool) -> None:
    """Reserves the menu's place here.

    Args:
        is_part: whether the page shows a part of the bill. The files' names say so, or they would
            pass for those of the whole.
    """
    place = st.container(width="content", key="downloads")
    st.session_state[_MENU] = Menu(place, is_part)


def offer(label: str, make: Callable[[], bytes], file_name: str) -> None:
    """Puts a file into the menu; at once, as a page may stop at any time.

    Args:
        label: what it holds.
        make: its bytes; asked for only when somebody wants them.
        file_name: ends in .csv.
    """
    menu: Menu = st.session_state[_MENU]
    if menu.files is None:
        popover = menu.place.popover("Download", icon=":material/download:")
        popover.caption("CSV, with every digit")
        menu.files = popover.container(gap=None)
    if menu.is_part:
        file_name = f"{file_name.removesuffix('.csv')}-filtered.csv"
    menu.files.download_button(
        plain(label),
        make,
        file_name,
        "text/csv",
        key=f"download {file_name}",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )
