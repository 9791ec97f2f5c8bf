"""The list of pages. Streamlit's own forgets the month and the filters on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from chargeback.ui import address

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.navigation.page import StreamlitPage

WITHOUT_BILL: Final = {"owners", "setup"}
"""Pages that have to open also while no figure can be shown: what is in the way is mended there."""
WHOLE_MONTH: Final = {"chargeback", "close", "reconciliation", "statement"}
"""Pages that are always about the whole bill of a month; filters do not apply there."""

_FOLD: Final = """
const narrow = () => window.innerWidth <= 768;
const fold = () => document.querySelector(
  "[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarCollapseButton] button"
)?.click();
const [load] = performance.getEntriesByType("navigation");
let shown = new URL(load.name).pathname.split("/").pop();
export default ({ data }) => {
  if (data.page !== shown && narrow()) fold();
  shown = data.page;
  const menu = document.querySelector(`.st-key-${data.key}`);
  const chosen = (event) => event.target.closest("a") && narrow() && fold();
  menu?.addEventListener("click", chosen);
  return () => menu?.removeEventListener("click", chosen);
};
"""
"""On a phone the sidebar lies over the page: a click on a link folds it.

Where the click came before this was loaded, the page that it led to folds it.
"""


def sections() -> Mapping[str, Sequence[StreamlitPage]]:
    """Every page under the heading it stands under."""
    return {
        "Spend": [
            st.Page(
                "pages/overview.py", title="Overview", icon=":material/monitoring:", default=True
            ),
            st.Page("pages/tenants.py", title="Tenants", icon=":material/apartment:"),
            st.Page("pages/teams.py", title="Teams", icon=":material/groups:"),
            st.Page("pages/projects.py", title="Projects", icon=":material/folder_open:"),
            st.Page(
                "pages/cost_centers.py",
                title="Cost centers",
                icon=":material/account_balance_wallet:",
                url_path="cost-centers",
            ),
            st.Page("pages/principals.py", title="Principals", icon=":material/badge:"),
            st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
            st.Page("pages/coverage.py", title="Coverage", icon=":material/target:"),
        ],
        "Month end": [
            st.Page("pages/chargeback.py", title="Chargeback", icon=":material/receipt_long:"),
            st.Page("pages/statement.py", title="Statement", icon=":material/description:"),
            st.Page("pages/reconciliation.py", title="Reconciliation", icon=":material/balance:"),
            st.Page("pages/close.py", title="Close", icon=":material/lock:"),
        ],
        "Set-up": [
            st.Page("pages/owners.py", title="Owner list", icon=":material/contract_edit:"),
            st.Page("pages/setup.py", title="Setup", icon=":material/settings:"),
        ],
    }


def draw(
    place: DeltaGenerator, sections: Mapping[str, Sequence[StreamlitPage]], shown: StreamlitPage
) -> None:
    """Draws the pages as links that keep month, currency and filters."""
    with place.container(key="menu", gap="xsmall"):
        for title, pages in sections.items():
            st.caption(title)
            for page in pages:
                st.page_link(page, label=page.title, icon=page.icon, query_params=address.link())
        fold = st.components.v2.component("chargeback.fold", js=_FOLD)
        fold(data={"key": "menu", "page": shown.url_path}, key="fold-menu")


def announce() -> None:
    """Says that the app has a navigation of its own.

    Until then Streamlit 1.67 takes the folder pages/ for its older kind of multipage app, and runs
    a page that is the first to be asked for without app.py.
    """
    st.navigation(sections(), position="hidden")
