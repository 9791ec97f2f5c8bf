"""Close: where each month stands, what stands in the way of closing one, and what was closed."""

import streamlit as st

from chargeback.ui import (
    close_acts,
    close_closed,
    close_months,
    close_open,
    header,
    page_context,
    problems,
)

context = page_context.current()
header.draw(context, "Close", frozen=True)
with problems.shown_problems():
    with st.spinner("Looking at the closed months…"):
        close_months.draw(context)
    close_acts.say_what_was_done()
    if context.closed:
        close_closed.draw(context, context.closed)
    else:
        close_open.draw(context)
