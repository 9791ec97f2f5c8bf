"""Who may look at the bill."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Literal

from chargeback.access.secrets_file import SignIn

Look = Literal["sign-in", "all", "this machine", "nobody"]
"""Who may look: whoever signed in, whoever reaches the server, whoever sits at the machine."""
OPEN = "open_to_all = true (CHARGEBACK_OPEN_TO_ALL=true)"
SECRETS = ".streamlit/secrets.toml"


def who_may_look(sign_in: SignIn, address: str | None, open_to_all: bool) -> Look:
    """Who may look at a server that listens on this address; None for all addresses."""
    if sign_in.state == "usable":
        return "sign-in"
    if open_to_all:
        return "all"
    if sign_in.state == "unusable" or not is_this_machine(address):
        return "nobody"
    return "this machine"


def how_to_open(sign_in: SignIn) -> str:
    """What is in the way of who may not look, and the settings that mend it: for the owner."""
    if sign_in.state == "unusable":
        return (
            f"sign-in can't be used: {sign_in.why}. Complete [auth] in {SECRETS}, or set {OPEN} "
            "if whoever reaches this server may see the bill; then start it again"
        )
    return (
        f"without sign-in only this machine may look. Set up [auth] in {SECRETS}, or set {OPEN} "
        "if whoever reaches this server may see the bill; or listen on this machine only "
        "(--server.address=localhost); then start it again"
    )


def is_this_machine(address: str | None) -> bool:
    """Whether an address leads to this machine only, or from it."""
    if address is None:
        return False
    if address.lower() == "localhost":
        return True
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback
