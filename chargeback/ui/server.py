"""What serves the pages: Streamlit behind the gate that the settings ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
from starlette.types import ASGIApp
from streamlit import config, file_util
from streamlit.logger import get_logger

from chargeback.access.look import OPEN, Look, how_to_open, is_this_machine, who_may_look
from chargeback.access.secrets_file import SignIn, is_readable, read_sign_in
from chargeback.errors import UsageProblem
from chargeback.settings import Settings, load_settings
from chargeback.ui.compressed import Compressed, paths_of_static_files
from chargeback.ui.gate import HEALTH, Closed, KnownHosts, RefusalLog, SafeAnswers, Viewers

LOG = get_logger(__name__)
REFUSALS = RefusalLog(LOG.warning)
GONE = SignIn("unusable", "the secrets file that was there when the server started is gone")


@dataclass(frozen=True)
class Policy:
    """Who may look at this server, and what decided so."""

    sign_in: SignIn
    address: str | None
    """The address listened on; None for all addresses."""
    open_to_all: bool
    hosts: tuple[str, ...] = ()

    @property
    def look(self) -> Look:
        """Who may look."""
        return who_may_look(self.sign_in, self.address, self.open_to_all)


@dataclass
class _Start:
    """How this process began to serve, if it did."""

    serves: bool = False
    sign_in: SignIn = field(default_factory=lambda: SignIn("none"))


_start = _Start()


def guarded(app: ASGIApp) -> ASGIApp:
    """What the server serves: the app behind the gate, or the gate alone where nobody may look.

    What this says holds until the server is started again; each run of a page looks anew, and can
    only be stricter.
    """
    now = policy_to_serve()
    _start.sign_in = now.sign_in
    _announce(now)
    if now.look == "all" and not is_readable(_secrets_files()):
        # Streamlit does not start with a secrets file that it can't read.
        config.set_option("secrets.files", [])
    names = [*now.hosts, now.address] if now.address else now.hosts
    health = _base_path() + HEALTH
    scripts = paths_of_static_files(Path(file_util.get_static_dir()), _base_path())
    to_open = how_to_open(now.sign_in)
    viewers = (
        Closed(REFUSALS, to_open, health)
        if now.look == "nobody"
        else Viewers(Compressed(app, scripts), now.look, REFUSALS, to_open, health)
    )
    return SafeAnswers(KnownHosts(viewers, names, REFUSALS, health))


def policy_to_serve() -> Policy:
    """Who may look at the server that this process is about to be."""
    _start.serves = True
    return policy()


def policy() -> Policy:
    """Who may look now, by the settings and the secrets files as they are."""
    settings = _settings()
    return Policy(_sign_in(), _address(), settings.open_to_all, tuple(settings.hosts))


def _settings() -> Settings:
    """The settings; with some that are not allowed nothing is open. Pages say what is wrong."""
    try:
        return load_settings()
    except UsageProblem as problem:
        REFUSALS.say(f"Nothing is open to others, as the settings can't be read: {problem}")
        return Settings.model_construct()


def _sign_in() -> SignIn:
    """What sign-in is now; that a file was taken away opens nothing."""
    found = read_sign_in(_secrets_files())
    if found.state == "none" and _start.sign_in.state != "none":
        return GONE
    return found


def _secrets_files() -> list[Path]:
    return [Path(file) for file in st.get_option("secrets.files")]


def _address() -> str | None:
    """The address that the server was told to listen on; None for all addresses.

    In a process that the gate does not serve, the address of whoever asks decides by itself.
    """
    address: str | None = st.get_option("server.address")
    if not address:
        return None if _start.serves else "localhost"
    return None if address in {"0.0.0.0", "::"} else address  # noqa: S104


def _base_path() -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def _announce(now: Policy) -> None:
    """Says in the log who may look."""
    if now.look == "nobody":
        LOG.warning("Nobody may look at the bill: %s.", how_to_open(now.sign_in))
    elif now.look == "all":
        LOG.warning("Whoever reaches this server sees the bill: %s.", OPEN)
    elif now.look == "this machine":
        LOG.info("Only this machine may look at the bill: there is no sign-in.")
    else:
        LOG.info("Whoever signed in may look at the bill.")
    back = now.sign_in.comes_back_to
    if back and not is_this_machine(back) and back not in map(str.lower, now.hosts):
        LOG.warning(
            "Sign-in comes back to %s, which is not served: add it to hosts (CHARGEBACK_HOSTS).",
            back,
        )
