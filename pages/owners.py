"""Owner list: who pays where no tag says so; changed here, with what that moves told before."""

from pathlib import Path

import pandas as pd
import streamlit as st

from chargeback.attribution.owner_draft import Draft, draft_of
from chargeback.attribution.owner_file import last_saved
from chargeback.dimensions import BY_NAME
from chargeback.formats import count, moment
from chargeback.ui import (
    address,
    header,
    owner_editor,
    owner_outlook,
    owner_saving,
    page_context,
    problems,
)
from chargeback.ui.markdown import plain
from chargeback.ui.owner_editor import Opened
from chargeback.ui.table import Column
from chargeback.ui.tables import download_button, plain_table

LIST = "list"
"""Parameter of the address: which list, where the rules ask several."""
NO_LIST = """\
[attribution]
team = ["iamPrincipal/team", { owners = "owners.csv" }]"""


def draw(path: Path) -> None:
    """The list, to change for whoever may, and else to read."""
    clicked_on = owner_saving.clicked()
    list_ = owner_editor.opened(path, address.values(owner_saving.ADD))
    asked = workspace.rules.attribution.asked_of(path)
    say_about(path, list_, asked)
    owner_saving.say_what_was_saved()
    if why := owner_saving.why_not_here(path, list_, workspace.settings):
        st.info(plain(why), icon=":material/lock:")
        show(list_, asked)
    else:
        draft = change(path, list_, asked)
        if clicked_on and draft:
            owner_saving.keep(path, draft, workspace.settings, clicked_on)


def say_about(path: Path, list_: Opened, asked: list[str]) -> None:
    """Which list it is, what it decides, who saved it last, and the file itself."""
    by = last_saved(path, list_.read.sha256, workspace.settings.open_ledger())
    nouns = " and ".join(BY_NAME[name].noun for name in asked)
    saved = f" · saved by {by.who}, {moment(by.at)}" if by else ""
    rows = count(len(list_.read.entries), "row")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(f"{path.name} · {rows} · decides {nouns}{saved}"), width="stretch")
        if list_.read.content:
            download_button("CSV", lambda: list_.read.content, path.name, "owners csv")


def show(list_: Opened, asked: list[str]) -> None:
    """The list to read."""
    entries = list_.read.entries
    columns = owner_editor.labels(entries, asked)
    frame = pd.DataFrame({name: [entry.cells[name] for entry in entries] for name in columns})
    shown = {name: Column(label) for name, label in columns.items()}
    plain_table(frame, columns=shown, currency="", key="owner rows", what="Owner list")


def change(path: Path, list_: Opened, asked: list[str]) -> Draft | None:
    """The list to change, and what that leads to; returns what may be saved."""
    st.caption(
        "The more specific row applies: an ARN before its role, a role before a pattern, an "
        "account alone last. To end a row, fill in Until; deleting it changes past months too."
    )
    owner_saving.warn_of_others(path, list_, workspace.settings)
    draft = draft_of(list_.read, owner_editor.edited(list_, asked))
    facts = owner_outlook.facts_of(workspace)
    found = owner_outlook.review_of(draft, asked, facts)
    owner_outlook.show_findings(draft, found)
    is_sound = not (draft.faults or found.contradictions)
    if draft.changes and is_sound:
        with problems.shown_problems():
            owner_outlook.show_preview(workspace, path, draft, facts)
    owner_saving.show_buttons(path, draft, is_sound=is_sound)
    return draft if is_sound else None


def chosen(paths: list[Path]) -> Path:
    """The list that the address names; the first without one."""
    names = {f"{number}. {path.name}": path for number, path in enumerate(paths, 1)}
    if len(names) == 1:
        return paths[0]
    name = address.choice(LIST, list(names))
    st.segmented_control("List", list(names), required=True, **address.control(LIST, name))
    return names[name]


workspace = page_context.workspace()
with st.container(horizontal=True, vertical_alignment="center"):
    st.header("Owner list", anchor=False, width="stretch")
    if workspace.settings.is_demo:
        header.demo_badge()
lists = workspace.rules.attribution.owner_lists()
if lists:
    with problems.shown_problems():
        draw(chosen(lists))
else:
    st.write(
        "No rule uses an owner list yet. Name one in chargeback.toml, after the tags; you can then "
        "edit it on this page:"
    )
    st.code(NO_LIST, language="toml", wrap_lines=True)
