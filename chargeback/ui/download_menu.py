"""One menu with all files of a page: sections offer theirs while the page is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import streamlit as st

from chargeback.ui import tables

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_MENU: Final = "downloads"
_OF_A_PART: Final = "-filtered"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is made only when it is asked for."""

    label: str
    make: Callable[[], bytes]
    name: str


@dataclass(slots=True)
class Menu:
    """The menu of one run."""

    place: DeltaGenerator | None = None
    """Where the page has room for it; None: nowhere."""
    is_part: bool = False
    """Whether the files hold a part of the bill: their names say so, or they would pass for the
    files of all of it."""
    files: list[File] = field(default_factory=list)


@contextmanager
def collected() -> Iterator[None]:
    """Draws the menu once the page is drawn, or has stopped early."""
    menu = st.session_state[_MENU] = Menu()
    try:
        yield
    finally:
        if menu.place is not None and menu.files:
            _draw(menu, menu.place)


def reserve(*, is_part: bool) -> None:
    """Reserves the menu's place here; what the sections offer fills it.

    Args:
        is_part: whether the page shows a part of the bill.
    """
    menu: Menu = st.session_state[_MENU]
    menu.place, menu.is_part = st.container(width="content", key="downloads"), is_part


def offer(label: str, make: Callable[[], bytes], file_name: str) -> None:
    """Puts a file into the page's menu.

    Args:
        label: what it holds.
        make: its bytes; asked for only when somebody wants them.
        file_name: with its ending.
    """
    menu: Menu = st.session_state[_MENU]
    if menu.is_part:
        stem, dot, ending = file_name.rpartition(".")
        file_name = f"{stem}{_OF_A_PART}{dot}{ending}"
    menu.files.append(File(label, make, file_name))


def _draw(menu: Menu, place: DeltaGenerator) -> None:
    with place.popover("Download", icon=":material/download:"):
        st.caption("CSV, with every digit")
        for file in menu.files:
            tables.download_button(file.label, file.make, file.name, key=f"download {file.name}")
