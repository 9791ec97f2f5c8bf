"""Gateways: roles through which many callers come, each in a session of its own."""

from __future__ import annotations

import re
from collections import defaultdict

from chargeback.attribution.principal import FOLDED_NAMES, OTHER_SESSIONS, SDK_SESSIONS, Principal

MANY_CALLERS = 5
"""Sessions from which on a role counts as a gateway."""
NAMED_BY_SDK = re.compile(r"(?:botocore-session-|aws-sdk-[a-z0-9-]+-|aws-go-sdk-)?[0-9]{10,19}")
"""Sessions that nobody named: AWS's SDKs put the time there, and so a new name each time."""


class Gateways:
    """Which roles' sessions carry many callers, found among all that a billing period names.

    Machines are no callers: a role's instances, pods, tasks and functions are one application.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, set[str]] = defaultdict(set)

    def see(self, principal: Principal) -> None:
        """Counts a session; of a role with many no more are kept than make it a gateway."""
        if principal.type != "role session" or _is_named_by_sdk(principal.session):
            return
        sessions = self._sessions[principal.group]
        if principal.session == FOLDED_NAMES[OTHER_SESSIONS]:  # as many as make a gateway, or more
            sessions.update(f"{principal.session} {number}" for number in range(MANY_CALLERS))
        if len(sessions) < MANY_CALLERS:
            sessions.add(principal.session)

    def roles(self) -> frozenset[str]:
        """The ARNs of the gateways."""
        return frozenset(r for r, seen in self._sessions.items() if len(seen) >= MANY_CALLERS)


def _is_named_by_sdk(session: str) -> bool:
    return session == FOLDED_NAMES[SDK_SESSIONS] or bool(NAMED_BY_SDK.fullmatch(session))
