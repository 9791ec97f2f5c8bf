"""The way down to a level, each step of it the way back."""

from __future__ import annotations

from typing import Final

import streamlit as st

from chargeback.dimensions import UNALLOCATED
from chargeback.ui import address
from chargeback.ui.drill_path import DAY, NOUNS
from chargeback.ui.level import Level, page_of, short, steps
from chargeback.ui.markdown import plain
from chargeback.ui.principal_kinds import KIND

BETWEEN: Final = "\u203a"
"""Between two levels of the way down: a single angle quotation mark, pointing right."""


def draw(level: Level) -> None:
    """Links to every level above, and what was passed over below."""
    path, said = level.path, [level.title, *map(short, steps(level))]
    with st.container(key="crumbs", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for number, step in enumerate(said[:-1]):
            above = path.up_to(number)
            if number == len(path.at):  # a day stands below its days
                above = above.split_by(DAY)
            st.page_link(
                page_of(level),
                label=plain(step),
                query_params=address.link({KIND: address.values(KIND)} | above.parameters()),
            )
            st.markdown(BETWEEN, width="content")
        st.markdown(f"**{plain(said[-1])}**", width="content")
        for passed in level.passed:
            st.markdown(BETWEEN, width="content")
            st.markdown(f":gray[{plain(_only(*passed))}]", width="content")


def _only(dimension: str, name: str) -> str:
    """What a level that is passed over would show: 'only team: checkout', 'no team'."""
    noun = NOUNS[dimension]
    return f"no {noun}" if name == UNALLOCATED else f"only {noun}: {short(name)}"
