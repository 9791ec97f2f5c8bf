"""The one menu with all files of a page, however the page ends."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import DownloadButton


def page(*, stops: bool, is_part: bool) -> None:
    """A page of two sections that ends early, or as it should."""
    import streamlit as st  # noqa: PLC0415  (AppTest runs the function by itself)

    from chargeback.ui import download_menu  # noqa: PLC0415

    download_menu.reserve(is_part=is_part)
    download_menu.offer("Top teams", lambda: b"", "teams-2026-10.csv")
    if stops:
        st.stop()
    download_menu.offer("Top models", lambda: b"", "models-2026-10.csv")


def files(*, stops: bool = False, is_part: bool = False) -> dict[str, str]:
    """What the menu offers: labels, and the names of files, which keys end with."""
    app = AppTest.from_function(page, kwargs={"stops": stops, "is_part": is_part}).run()
    assert not app.exception
    buttons = [each for each in app.get("download_button") if isinstance(each, DownloadButton)]
    return {button.label: str(button.key).rpartition(" ")[-1] for button in buttons}


def test_sections_fill_one_menu_in_their_order() -> None:
    assert list(files().items()) == [
        ("Top teams", "teams-2026-10.csv"),
        ("Top models", "models-2026-10.csv"),
    ]


def test_a_page_that_stops_offers_what_it_has_shown() -> None:
    assert files(stops=True) == {"Top teams": "teams-2026-10.csv"}


def test_files_of_a_part_are_named_so() -> None:
    assert files(stops=True, is_part=True) == {"Top teams": "teams-2026-10-filtered.csv"}
