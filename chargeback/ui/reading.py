"""The line that says that a newer bill is being read, on pages that show the one before."""

from __future__ import annotations

from typing import Final

import streamlit as st

from chargeback.ui.live_bill import LiveBill
from chargeback.ui.markdown import plain

EVERY_SECONDS: Final = 2
LOOKING: Final = "Looking for a newer bill"
READING: Final = "A newer bill is being read"


@st.fragment(run_every=EVERY_SECONDS)
def draw(live: LiveBill) -> None:
    """The line; the page draws itself anew once there are newer figures, or it is known why not."""
    if not live.is_working:
        st.rerun()
    st.caption(plain(_said(live)), width="content")


def _said(live: LiveBill) -> str:
    if not live.is_reading:
        return f"{LOOKING}…"
    step = live.step
    return f"{READING}: {step.in_words}." if step else f"{READING}."
