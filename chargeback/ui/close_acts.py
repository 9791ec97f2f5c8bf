"""Closing and reopening on the Close page: only what was shown, once, by whoever may."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.closing.close import close_month
from chargeback.closing.reopen import reopen_month
from chargeback.errors import Problem
from chargeback.formats import moment, month_name
from chargeback.ledger.chain import Entry
from chargeback.ui import sign_in
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context, ledger_has_changed
from chargeback.ui.problems import show_problem

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Act = Literal["close", "reopen"]
_CLICKED: Final = "clicked to"
"""Where the session keeps what was shown beside the button that was clicked."""
_FAILED: Final = "not closed or reopened"
_DONE: Final = "closed or reopened"


def say_what_was_done() -> None:
    """Comes in the run after a month was closed or reopened."""
    if said := st.session_state.pop(_DONE, None):
        st.success(plain(said), icon=":material/check:")


def say_what_failed() -> None:
    """Comes in the run after a month could not be closed or reopened."""
    if problem := st.session_state.pop(_FAILED, None):
        show_problem(problem)


def button(  # noqa: PLR0913 -- each says what a click is for
    place: DeltaGenerator,
    act: Act,
    month: str,
    shown: str,
    *,
    disabled: bool = False,
    doing: str = "",
) -> None:
    """The button that closes or reopens a month.

    Args:
        place: where it stands.
        act: what it does.
        month: which month.
        shown: digest of what is shown beside it, to which a click is tied.
        disabled: whether it can't be clicked yet.
        doing: what is being done since it was clicked, in a word: it can't be clicked once more.
    """
    name, icon = month_name(month), {"close": "lock", "reopen": "lock_open"}[act]
    place.button(
        f"{doing} {name}…" if doing else f"{act.capitalize()} {name}",
        type="primary" if act == "close" else "secondary",
        key=f"{act}-{month}",
        icon="spinner" if doing else f":material/{icon}:",
        on_click=_click,
        args=(act, shown),
        disabled=disabled or bool(doing),
    )


def clicked(act: Act) -> str:
    """What somebody saw who just asked for this, by its digest; '' if nobody did."""
    return str(st.session_state.pop(f"{_CLICKED} {act}", ""))


def _click(act: Act, shown: str) -> None:
    st.session_state[f"{_CLICKED} {act}"] = shown


def say_who_was_first(closed: ClosedMonth) -> None:
    """For whoever asked to close what is closed by now: by another session, or a click before."""
    if clicked("close"):
        record = closed.record
        said = f"{month_name(closed.month)} was closed by {record.who}, {moment(record.when)}."
        st.info(plain(said), icon=":material/group:")


def say_it_is_open(month: str) -> None:
    """The same for whoever asked to reopen what is open by now."""
    if clicked("reopen"):
        st.info(plain(f"{month_name(month)} is open again already."), icon=":material/group:")


def close(context: Context, place: DeltaGenerator, note: str, despite: list[str]) -> None:
    """Closes the month that is shown."""
    month = context.view.month

    def act() -> Entry:
        if not context.live.is_newest(context.answers) and context.problem is None:
            raise Problem(
                "A newer bill is being read.",
                "Nothing was closed: what you saw may not be what the bill says by now.",
                "Look at the month again in a minute, then close it.",
            )
        actor = sign_in.viewer(context.workspace.settings).actor
        fresh = context.problem is None
        return close_month(context.statements, month, actor, note, despite, up_to_date=fresh)

    button(place, "close", month, "", doing="Closing")
    _do(act, f"{month_name(month)} is closed. It can now be sent and posted: its figures stand.")


def reopen(context: Context, place: DeltaGenerator, reason: str) -> None:
    """Reopens the month that is shown."""
    month = context.view.month

    def act() -> Entry:
        actor = sign_in.viewer(context.workspace.settings).actor
        return reopen_month(context.statements, month, actor, reason)

    button(place, "reopen", month, "", doing="Reopening")
    _do(act, f"{month_name(month)} is open again. What it posted is withdrawn.")


def _do(act: Callable[[], Entry], done: str) -> None:
    """Does it; the next run says what came of it."""
    try:
        act()
    except Problem as problem:
        st.session_state[_FAILED] = problem
    else:
        st.session_state[_DONE] = done
    ledger_has_changed()
    st.rerun()
