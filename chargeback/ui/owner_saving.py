"""Saving an owner list on its page: who may, what was shown before, and who was faster."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from chargeback.attribution.owner_draft import Draft, read_list
from chargeback.attribution.owner_file import last_saved, save, why_read_only
from chargeback.errors import Problem
from chargeback.formats import count, moment
from chargeback.settings import Settings
from chargeback.ui import address, owner_editor, sign_in
from chargeback.ui.markdown import plain
from chargeback.ui.owner_editor import Opened
from chargeback.ui.problems import show_problem
from chargeback.ui.tables import download_button

ADD: Final = "add"
"""Parameter of the address: an ARN to add a row for; it may stand there several times."""
_CLICKED: Final = "owner draft to save"
"""Where the session keeps which draft was shown beside the button that was clicked."""
_SAVED: Final = "owner list saved"


def why_not_here(path: Path, list_: Opened, settings: Settings) -> str:
    """Why this viewer can't change the list on this page; '' if they can."""
    viewer = sign_in.viewer(settings)
    if why := why_read_only(path, settings):
        return why
    if not viewer.may_change:
        return f"You can view this list, but not change it. {viewer.who_may}"
    if len(list_.read.entries) > owner_editor.LONGEST:
        return f"A list of more than {owner_editor.LONGEST:,} rows has to be changed in its file."
    return ""


def warn_of_others(path: Path, list_: Opened, settings: Settings) -> None:
    """Says that somebody saved the list while this session edits it."""
    now = read_list(path)
    if now.sha256 == list_.read.sha256:
        return
    by = last_saved(path, now.sha256, settings.open_ledger())
    who = f"{by.who} saved this list on {moment(by.at)}" if by else "this list was changed"
    st.warning(
        plain(
            f"While you were editing, {who}. Your changes can’t overwrite that: download your "
            "draft if you need it, load the current list, and make your changes again."
        ),
        icon=":material/group:",
    )
    st.button("Load the current list", on_click=owner_editor.begin_anew, key="load")


def say_what_was_saved() -> None:
    """Comes in the run after a list was saved."""
    if said := st.session_state.pop(_SAVED, None):
        st.success(plain(said), icon=":material/check:")


def clicked() -> str:
    """Which draft somebody just asked to save, by its digest; '' for none."""
    return str(st.session_state.pop(_CLICKED, ""))


def show_buttons(path: Path, draft: Draft, *, is_sound: bool) -> None:
    """What can be done with the changes."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Save {count(len(draft.changes), 'change')}" if draft.changes else "Save",
            type="primary",
            key="save",
            on_click=_click,
            args=(draft.sha256,),
            disabled=not (draft.changes and is_sound),
        )
        if draft.changes:
            st.button("Discard", key="discard", on_click=_begin_anew)
            download_button("Draft", lambda: draft.content, path.name, "draft csv")


def keep(path: Path, draft: Draft, settings: Settings, clicked_on: str) -> None:
    """Saves what somebody asked to save, if that is what was shown when they did.

    A browser may send the last edit together with the click that ended it.
    """
    if clicked_on != draft.sha256:
        st.warning(
            "Your last edit arrived together with the click. Check what it changes, then save."
        )
        return
    try:
        save(path, draft, sign_in.viewer(settings).actor, settings)
    except Problem as problem:
        show_problem(problem)
        return
    changes = count(len(draft.changes), "change")
    st.session_state[_SAVED] = f"Saved {changes} to {path.name}. All pages show the new figures."
    _begin_anew()
    st.rerun()


def _click(sha256: str) -> None:
    st.session_state[_CLICKED] = sha256


def _begin_anew() -> None:
    """Begins with the list as it is, without what the address asked to add."""
    owner_editor.begin_anew()
    address.write({ADD: ()})
