"""Setup: whether everything is in place, and the exact fix for what is not."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from chargeback.doctor.check import Check, together
from chargeback.doctor.examine import examine
from chargeback.errors import Problem
from chargeback.formats import count, month_name
from chargeback.ui import header, page_context, problems, running_cost, sign_in
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table

ICONS = {
    "problem": (":material/error:", "red"),
    "warning": (":material/warning:", "orange"),
    "unknown": (":material/help:", "gray"),
}
"""Of what needs a reader's eye, the worst first."""
WORDS = {"problem": "Problem", "warning": "Check this", "unknown": "Not known"}


def draw(check: Check) -> None:
    """What was found, what it means, and the fix."""
    icon, colour = ICONS[check.state]
    with st.container(border=True, gap="xsmall"):
        st.badge(WORDS[check.state], icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"**{plain(check.name)}:** {plain(check.found)}")
        for text in (check.means, check.todo):
            if text:
                st.caption(plain(text))
        if check.command:
            st.code(check.command, language="bash", wrap_lines=True)


def accept(month: str) -> None:
    """Takes a delivery that holds less than before; the page says how that went."""
    try:
        workspace.accept(month, sign_in.viewer(workspace.settings).actor)
        page_context.live_bill().open()
        st.toast(plain(f"The delivery of {month_name(month)} is now in use."))
    except Problem as problem:
        st.session_state["not accepted"] = problem


def show_waiting() -> None:
    """Deliveries that were not taken, each with the button that takes it."""
    if refused := st.session_state.pop("not accepted", None):
        problems.show_problem(refused)
    viewer = sign_in.viewer(workspace.settings)
    for month, refusal in workspace.waiting().items():
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{month_name(month)}: a newer delivery holds less than before**")
            for notice in refusal.notices:
                st.caption(plain(notice.words))
            if viewer.may_change:
                st.button(
                    "Accept this delivery", key=f"accept {month}", on_click=accept, args=(month,)
                )
            else:
                st.caption(plain(viewer.who_may))


workspace = page_context.workspace()
with st.container(horizontal=True, vertical_alignment="center"):
    st.header("Setup", anchor=False, width="stretch")
    if workspace.settings.is_demo:
        header.demo_badge()
with problems.shown_problems():
    show_waiting()
with st.spinner("Checking everything…"):
    checks = together(examine(workspace, datetime.now(UTC)))
fine = [check for check in checks if check.state == "ok"]
st.caption(
    f"{len(fine)} of {count(len(checks), 'check')} in order. On the command line: "
    "`python -m chargeback doctor`"
)
for state in ICONS:
    for check in checks:
        if check.state == state:
            draw(check)
if fine:
    st.subheader("In order", anchor=False)
    plain_table(
        pd.DataFrame({"name": [c.name for c in fine], "found": [c.found for c in fine]}),
        columns={"name": Column("Check"), "found": Column("Found")},
        currency="",
        key="in order",
        what="What is in order",
    )
if workspace.settings.athena is None:
    st.caption(
        "Once \\[athena] is configured, its credentials, workgroup and table are checked too."
    )
running_cost.draw(workspace)
