"""Entry: what the server serves, and a run of its script: sign-in, navigation, shared controls."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb
import streamlit as st
from starlette.types import ASGIApp
from streamlit.navigation.page import StreamlitPage

from chargeback.errors import Problem, unforeseen
from chargeback.ui import address, navigation, server, sign_in

LOG = logging.getLogger(__name__)
# A file of its own: for an icon by name the browser would ask a server outside.
ICON = str(Path(__file__).parent / "chargeback" / "ui" / "icon.svg")


def pages(setup: StreamlitPage) -> Mapping[str, Sequence[StreamlitPage]]:
    """Every page under the heading it stands under."""
    return {
        "Spend": [
            st.Page(
                "pages/overview.py", title="Overview", icon=":material/monitoring:", default=True
            ),
            st.Page("pages/tenants.py", title="Tenants", icon=":material/apartment:"),
            st.Page("pages/teams.py", title="Teams", icon=":material/groups:"),
            st.Page("pages/principals.py", title="Principals", icon=":material/badge:"),
            st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
        ],
        "Month end": [
            st.Page("pages/chargeback.py", title="Chargeback", icon=":material/receipt_long:"),
            st.Page("pages/reconciliation.py", title="Reconciliation", icon=":material/balance:"),
        ],
        "Set-up": [setup],
    }


def draw() -> None:
    """Draws the page that is asked for."""
    # What it keeps for all viewers needs a server that runs: it is not there when this is imported.
    from chargeback.ui import page_context, problems  # noqa: PLC0415

    st.set_page_config(page_title="Bedrock chargeback", page_icon=ICON, layout="wide")
    setup = st.Page("pages/setup.py", title="Setup", icon=":material/settings:")
    sections = pages(setup)
    page = st.navigation(sections, position="hidden")
    address.arrive(page.url_path)
    try:
        sign_in.require()
        menu = st.sidebar.container()
        try:
            if page is setup:
                page_context.prepare_workspace()
            else:
                page_context.prepare()
        finally:  # its links keep the month that is settled only now
            navigation.draw(menu, sections)
        with sign_in.footer():
            page.run()
    except Problem as problem:
        problems.show_problem(problem)
    except (OSError, duckdb.Error) as error:
        LOG.exception("A page could not be drawn.")
        problems.show_problem(unforeseen(error))


@asynccontextmanager
async def navigated(_: st.App) -> AsyncIterator[None]:
    """Says that this app has a navigation of its own, before anybody asks for a page.

    Else Streamlit 1.67 takes the folder pages/ for its older kind of multipage app until a run of
    this script says so: a server whose first request is for a page would run it alone.
    """
    st.navigation([st.Page(draw, title="Bedrock chargeback", url_path="first")])
    yield


if __name__ == "__main__":  # somebody looks, and Streamlit runs this script
    draw()
else:  # `streamlit run app.py` and `uvicorn app:app` import what they serve
    app: ASGIApp = st.App(__file__, lifespan=navigated)
    app = server.guarded(app)
