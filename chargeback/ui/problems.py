"""How problems look, and which of them can be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from chargeback.errors import Problem
from chargeback.ui.markdown import plain

RETRY_SECONDS = 300
"""How long a source that failed is left alone: a click must neither wait for it nor pay for it."""


@contextmanager
def shown_problems() -> Iterator[None]:
    """Shows a Problem where it happened; the rest of the page stays up."""
    try:
        yield
    except Problem as problem:
        show_problem(problem)


def show_problem(problem: Problem, *, stale: bool = False) -> None:
    """What happened, what it means for the numbers, what to do, and where it can be tried again."""
    text = "  \n".join(
        part
        for part in (f"**{plain(problem.what)}**", plain(problem.means), plain(problem.todo))
        if part
    )
    box = st.warning if stale else st.error
    box(text, icon=":material/sync_problem:" if stale else ":material/error:")
    if problem in list(failures().values()):
        st.button("Try again", on_click=failures().clear, icon=":material/refresh:")


@st.cache_resource
def failures() -> dict[float, Problem]:
    """Why the source could not be read the last time, and when that was, for all readers."""
    return {}
