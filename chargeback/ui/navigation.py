"""The list of pages. Streamlit's own forgets the month and the filters on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from chargeback.ui import address

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.navigation.page import StreamlitPage

_FOLD: Final = """
export default ({ data }) => {
  const menu = document.querySelector(`.st-key-${data.key}`);
  const fold = (event) => {
    if (event.target.closest("a") && window.innerWidth <= 768)
      document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  };
  menu?.addEventListener("click", fold);
  return () => menu?.removeEventListener("click", fold);
};
"""
"""On a phone the sidebar lies over the page: a click on a link folds it."""


def draw(place: DeltaGenerator, sections: Mapping[str, Sequence[StreamlitPage]]) -> None:
    """Draws the pages as links that keep month, currency and filters."""
    with place.container(key="menu", gap="xxsmall"):
        for title, pages in sections.items():
            st.caption(title)
            for page in pages:
                st.page_link(page, label=page.title, icon=page.icon, query_params=address.link())
        fold = st.components.v2.component("chargeback.fold", js=_FOLD)
        fold(data={"key": "menu"}, key="fold-menu")
