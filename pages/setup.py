"""Setup: whether everything is in place, and the exact fix for what is not."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from chargeback.aws_account import examine_account
from chargeback.doctor import Check, examine
from chargeback.ui import shell
from chargeback.ui.formats import count, plain
from chargeback.ui.tables import Column, plain_table

ICONS = {
    "problem": (":material/error:", "red"),
    "warning": (":material/warning:", "orange"),
    "unknown": (":material/help:", "gray"),
}
"""Of what needs a reader's eye, the worst first."""
WORDS = {"problem": "problem", "warning": "to look at", "unknown": "not known"}


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


workspace = shell.workspace()
with st.container(horizontal=True, vertical_alignment="center"):
    st.header("Setup", anchor=False, width="stretch")
    if workspace.settings.is_demo:
        shell.demo_badge()
with st.spinner("Looking at everything…"):
    checks = list(examine(workspace, datetime.now(UTC), examine_account))
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
    st.caption("With \\[athena] configured, its credentials, workgroup and table are checked too.")
