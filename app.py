"""Entry: what the server serves, and a run of its script: sign-in, navigation, shared controls."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb
import streamlit as st
from starlette.types import ASGIApp

from chargeback.errors import Problem, unforeseen
from chargeback.ui import address, glossary, navigation, ready, server, sign_in

LOG = logging.getLogger(__name__)
# A file of its own: for an icon by name the browser would ask a server outside.
ICON = str(Path(__file__).parent / "chargeback" / "ui" / "icon.svg")


def draw() -> None:
    """Draws the page that is asked for."""
    st.set_page_config(page_title="Bedrock chargeback", page_icon=ICON, layout="wide")
    sections = navigation.sections()
    page = st.navigation(sections, position="hidden")
    ready.import_for(page.url_path)
    # What it keeps for all viewers needs a server that runs: it is not there when this is imported.
    from chargeback.ui import page_context, paper, problems  # noqa: PLC0415

    address.arrive(page.url_path)
    paper.style()
    try:
        sign_in.require()
        menu = st.sidebar.container()
        try:
            if page.url_path in navigation.WITHOUT_BILL:
                page_context.prepare_workspace()
            else:
                page_context.prepare(is_whole=page.url_path in navigation.WHOLE_MONTH)
        finally:  # its links keep the month that is settled only now
            navigation.draw(menu, sections, page)
            paper.make_charts_fit(menu)
            with st.sidebar:
                glossary.draw()
        with sign_in.footer():
            page.run()
    except Problem as problem:
        problems.show_problem(problem)
    except (OSError, duckdb.Error) as error:
        LOG.exception("A page could not be drawn.")
        problems.show_problem(unforeseen(error))


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What is said and begun once, before anybody asks for a page."""
    navigation.announce()
    ready.begin()
    yield


if __name__ == "__main__":  # somebody looks, and Streamlit runs this script
    draw()
else:  # `streamlit run app.py` and `uvicorn app:app` import what they serve
    app: ASGIApp = st.App(__file__, lifespan=lifespan)
    app = server.guarded(app)
