"""The page's address: what it says, and every way that leads on from it.

What a page shows is what its address says: a control shows it, a choice is written into it. So a
link, the way back, a reload and a pasted address lead to the same. Nothing else reads or writes
st.query_params, or what the session holds of a control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from chargeback.dimensions import FILTERS
from chargeback.ui.markdown import plain

MONTH: Final = "month"
CURRENCY: Final = "currency"
FILTER_NAMES: Final = tuple(dimension.name for dimension in FILTERS)
"""The parameters of the filters."""
KEPT: Final = (MONTH, CURRENCY, *FILTER_NAMES)
"""What goes along wherever the reader goes."""

Parameters = Mapping[str, Sequence[str]]

_LAST: Final = "address"
"""Where the session keeps page and parameters of its last run."""
_REPLACED: Final = "address before"
"""And what it replaced: a browser may not know the new one yet when the next choice is made."""
_WAY_ON: Final = "way-on"
_HIDDEN: Final = f"<style>.st-key-{_WAY_ON} {{ display: none; }}</style>"
_CLICK: Final = """
export default ({ data }) => {
  const link = document.querySelector(`.st-key-${data.key} a[href]`);
  if (link && !link.dataset.taken) {
    link.dataset.taken = "yes";
    link.click();
  }
};
"""
"""Only once: a component's script runs again whenever the page is drawn again."""


def values(name: str) -> list[str]:
    """What the address says for a parameter; empty if it isn't there."""
    return st.query_params.get_all(name)


def value(name: str) -> str:
    """What the address says for a parameter that has one value; '' if it isn't there."""
    return (values(name) or [""])[-1]


def arrive(page: str) -> None:
    """Comes first in every run, so that the browser's address is the one that is shown.

    Streamlit writes the address of a link to another page, but not of one to the same page. Written
    here for both, the first would take two steps of the history.
    """
    now = (page, _all())
    last = st.session_state.setdefault(_LAST, now)
    if now == last:
        return
    st.session_state[_LAST] = now
    st.session_state.pop(_REPLACED, None)
    if page == last[0]:
        st.query_params.from_dict(now[1])


def write(said: Parameters) -> None:
    """Writes parameters into the address; an empty list takes one away.

    One step of the browser's history, or none where the address says so already.
    """
    now = _all()
    _replace(now, now | {name: list(texts) for name, texts in said.items()})


def go(said: Parameters) -> None:
    """Leads to another place on the same page: one step of the browser's history."""
    write(said)
    st.rerun()


def link(own: Parameters | None = None) -> dict[str, list[str]]:
    """The parameters of an address that keeps month, currency and filters.

    Args:
        own: what it says beside them.
    """
    kept = {name: values(name) for name in KEPT}
    return {name: list(texts) for name, texts in (kept | dict(own or {})).items() if texts}


def is_filtered() -> bool:
    """Whether the address asks for a part of the bill."""
    return any(values(name) for name in FILTER_NAMES)


def clear_filters() -> None:
    """Asks for the whole bill."""
    write(dict.fromkeys(FILTER_NAMES, ()))


def open_page(page: str, own: Parameters) -> None:
    """Leads to another page: one step of the browser's history.

    st.switch_page takes two: the way back would lead to this page with that page's parameters. A
    link takes one, but has to be clicked in the browser.
    """
    with st.container(key=_WAY_ON):
        st.html(_HIDDEN)
        st.page_link(page, label=page, query_params=link(own))
    click = st.components.v2.component("chargeback.click", js=_CLICK)
    click(data={"key": _WAY_ON}, key="click-way-on")


def choice(name: str, known: Sequence[str], labels: Mapping[str, str] | None = None) -> str:
    """Which of the known names the address asks for: the first if none; says it if unknown.

    Args:
        name: of the parameter.
        known: what it may say.
        labels: what readers see instead; addresses of earlier versions hold them.
    """
    asked = value(name)
    found = {_folded((labels or {}).get(text, text)): text for text in known}
    found |= {_folded(text): text for text in known}
    if not asked or _folded(asked) in found:
        return found.get(_folded(asked), known[0])
    st.warning(
        plain(f"{name}={asked} in the address means nothing here; showing {known[0]}."),
        icon=":material/link_off:",
    )
    return known[0]


def control(name: str, shown: object) -> dict[str, Any]:
    """Ties a widget to a parameter: it shows this, and what is chosen is written into the address.

    The widget takes what it shows as its default, too: a browser that is not ready to draw it in
    this run may draw it in the next.

    Returns:
        Arguments of the widget.
    """
    # Not written unless it changes: a choice made at this moment would be undone in the browser.
    if name in st.session_state and st.session_state[name] != shown:
        st.session_state[name] = shown
    return {"key": name, "on_change": _chosen, "args": (name,)}


def _chosen(name: str) -> None:
    """Writes what a reader chose. Streamlit also calls this for what a browser shows too late."""
    now, chosen = _all(), st.session_state[name]
    _, last = st.session_state[_LAST]
    if now in (last, st.session_state.get(_REPLACED)):  # else the reader has gone elsewhere
        _replace(now, last | {name: chosen if isinstance(chosen, list) else [chosen]})


def _replace(now: dict[str, list[str]], then: dict[str, list[str]]) -> None:
    then = {name: texts for name, texts in then.items() if texts}
    if then == now:
        return
    st.query_params.from_dict(then)
    page, _ = st.session_state[_LAST]
    st.session_state[_LAST] = (page, then)
    st.session_state[_REPLACED] = now


def _all() -> dict[str, list[str]]:
    return {name: values(name) for name in st.query_params}


def _folded(text: str) -> str:
    """One spelling of a name: 'Cost center' and 'COST-CENTER' are 'cost_center'."""
    return text.strip().casefold().replace(" ", "_").replace("-", "_")
