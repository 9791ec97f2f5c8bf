"""Entry: page config, navigation, shared controls. Pages draw the rest."""

from pathlib import Path

import streamlit as st

from chargeback.errors import Problem
from chargeback.ui import address, navigation, shell, sign_in

# A file of its own: for an icon by name the browser would ask a server outside.
ICON = str(Path(__file__).parent / "chargeback" / "ui" / "icon.svg")
st.set_page_config(page_title="Bedrock chargeback", page_icon=ICON, layout="wide")

setup = st.Page("pages/setup.py", title="Setup", icon=":material/settings:")
sections = {
    "Spend": [
        st.Page("pages/overview.py", title="Overview", icon=":material/monitoring:", default=True),
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
page = st.navigation(sections, position="hidden")

address.arrive(page.url_path)
try:
    sign_in.require()
    menu = st.sidebar.container()
    try:
        if page is setup:
            shell.prepare_workspace()
        else:
            shell.prepare()
    finally:  # its links keep the month that is settled only now
        navigation.draw(menu, sections)
    page.run()
except Problem as problem:
    shell.show_problem(problem)
