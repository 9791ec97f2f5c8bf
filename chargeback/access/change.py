"""Who may change figures."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from chargeback.errors import Problem
from chargeback.ledger.ledger import Ledger

LOG = logging.getLogger(__name__)

Kind = Literal["machine", "signed in", "this machine", "visitor"]
"""How it is known who somebody is: the machine's user at the command line, a person whom the
provider vouches for, somebody at this machine's browser, anybody."""
WRITERS = "[access] writers (CHARGEBACK_ACCESS__WRITERS)"


class AccessSettings(BaseModel):
    """Who may change figures on pages."""

    model_config = ConfigDict(extra="forbid")

    writers: list[str] = Field(default_factory=list)
    """E-mail addresses, as the sign-in provider gives them; case does not count."""
    read_only_owners: bool = False
    """Whether pages only show owner lists, which are then kept by other means, such as git."""


class AccessRules(Protocol):
    """What of the settings decides."""

    @property
    def open_to_all(self) -> bool:
        """Whether whoever reaches the server may look without signing in."""

    @property
    def access(self) -> AccessSettings:
        """Who may change figures."""

    def open_ledger(self) -> Ledger:
        """Where changes and refusals are written down."""


class ChangeRefused(Problem):
    """Somebody who may not change figures asked to."""


@dataclass(frozen=True)
class Actor:
    """Who does something. The command line's is `Actor(machine_user(), as_name)`."""

    user: str
    """The machine's user; on pages the e-mail address of who signed in, '' where nobody did."""
    as_name: str = ""
    """A name that the user gave; it stands beside the user, never instead."""
    kind: Kind = "machine"

    def __str__(self) -> str:
        user = self.user or self.kind
        return f"{user} as {self.as_name}" if self.as_name else user


def machine_user() -> str:
    """The name of the machine's user that runs this process, whatever the environment says."""
    if os.name == "nt":
        return getpass.getuser()
    import pwd  # noqa: PLC0415  (Windows has none)

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user without a name
        return f"uid {os.getuid()}"


def may_change(actor: Actor, rules: AccessRules) -> bool:
    """Whether somebody may change figures."""
    if actor.kind == "signed in":
        return actor.user.casefold() in _writers(rules)
    if actor.kind == "this machine":
        return not rules.open_to_all
    return actor.kind == "machine"


def require_change(actor: Actor, rules: AccessRules, what: str) -> None:
    """Lets whoever may change figures pass; the refusal of others is written down.

    Args:
        actor: who asks.
        rules: the settings.
        what: what is asked for, in a few words: 'close 2026-10'.

    Raises:
        ChangeRefused: they may not.
    """
    if may_change(actor, rules):
        return
    refused = ChangeRefused(
        f"You may not do this: {what}.", "Nothing was changed.", who_may_change(rules)
    )
    try:
        said = f"refused: {what}"
        rules.open_ledger().record(who=str(actor), what=said, before=None, after=None)
    except OSError as error:
        LOG.exception("A refusal could not be written down in the ledger.")
        raise refused from error
    raise refused


def who_may_change(rules: AccessRules) -> str:
    """Who may change figures, in words for those who may not."""
    if writers := rules.access.writers:
        return f"Who may, once signed in: {', '.join(writers)}."
    return (
        "On pages nobody may: the owner of this dashboard names who may in [access] writers. "
        "The command line on the server may."
    )


def _writers(rules: AccessRules) -> Sequence[str]:
    return [writer.strip().casefold() for writer in rules.access.writers if writer.strip()]
