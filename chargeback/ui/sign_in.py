"""Who looks: whether they may, who they are, and whether they may change figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from chargeback.access.change import AccessRules, Actor, may_change, who_may_change
from chargeback.access.look import how_to_open, is_this_machine
from chargeback.errors import Problem
from chargeback.ui import server
from chargeback.ui.gate import FORWARDED, OWNER

OPEN_TO_ALL = "Open to all: anyone who reaches this address sees the bill (`open_to_all`)."


@dataclass(frozen=True)
class Viewer:
    """Who looks at a page."""

    actor: Actor
    may_change: bool
    who_may: str
    """Who may change figures, for a page to say in place of controls."""


def require() -> None:
    """Lets whoever may look pass; stops the run with a button for whoever has to sign in first.

    Raises:
        Problem: they may not look. What is in the way stands in the server's log.
    """
    policy = server.policy()
    if policy.look == "sign-in":
        _require_sign_in(policy.sign_in.providers)
    elif policy.look == "nobody" or (policy.look == "this machine" and not _is_from_here()):
        server.REFUSALS.say(f"A page was refused: {how_to_open(policy.sign_in)}.")
        raise Problem(OWNER)


def viewer(rules: AccessRules) -> Viewer:
    """Who looks, and whether they may change figures.

    A control that changes figures is drawn only for those who may; what it calls asks
    `access.require_change` for the actor all the same, as a message may come without its button.
    """
    actor = _actor()
    return Viewer(actor, may_change(actor, rules), who_may_change(rules))


@contextmanager
def footer() -> Iterator[None]:
    """Says below whatever a page draws that the bill is open to all, where it is."""
    if server.policy().look != "all":
        yield
        return
    page, below = st.container(), st.container()
    below.caption(OPEN_TO_ALL)
    with page:
        yield


def _require_sign_in(providers: tuple[str, ...]) -> None:
    if st.user.get("is_logged_in") is not True:
        st.header("Bedrock chargeback", anchor=False)
        for name in providers:
            _sign_in_button(name, f"Sign in with {name}" if len(providers) > 1 else "Sign in")
        st.stop()
    with st.sidebar:
        st.button("Sign out", on_click=st.logout, type="tertiary", icon=":material/logout:")


def _sign_in_button(provider: str, label: str) -> None:
    to = (provider,) if provider else ()
    st.button(label, on_click=st.login, args=to, type="primary", icon=":material/login:")


def _actor() -> Actor:
    policy = server.policy()
    if policy.look == "sign-in":
        return _signed_in()
    if policy.look == "this machine" and _is_from_here():
        return Actor("", kind="this machine")
    return Actor("", kind="visitor")


def _signed_in() -> Actor:
    """The person whom the provider vouches for, by an address that it does not call unproven."""
    email = st.user.get("email")
    is_known = st.user.get("is_logged_in") is True and isinstance(email, str) and email.strip()
    if not is_known or st.user.get("email_verified") in {False, "false"}:
        return Actor("", kind="visitor")
    return Actor(str(email).strip(), kind="signed in")


def _is_from_here() -> bool:
    """As the gate decides, once more: somebody may serve the pages without it."""
    address = st.context.ip_address  # None for this machine
    if isinstance(address, str) and not is_this_machine(address):
        return False
    return not any(name in st.context.headers for name in FORWARDED)
