"""Gateways: roles through which many callers come, each in a session of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from chargeback.attribution.principal import Principal

MANY_CALLERS = 5
"""Sessions from which on a role counts as a gateway."""
NAMED_BY_SDK = re.compile(r"(?:botocore-session-|aws-sdk-[a-z0-9-]+-|aws-go-sdk-)?[0-9]{10,19}")
"""Sessions that nobody named: AWS's SDKs put the time there, and so a new name each time."""


def gateway_roles(principals: Iterable[Principal]) -> frozenset[str]:
    """The ARNs of the roles whose sessions carry many callers.

    Machines are no callers: a role's instances, pods, tasks and functions are one application.

    Args:
        principals: all that a billing period names.
    """
    sessions: dict[str, set[str]] = defaultdict(set)
    for each in principals:
        if each.type == "role session" and not NAMED_BY_SDK.fullmatch(each.session):
            sessions[each.group].add(each.session)
    return frozenset(role for role, named in sessions.items() if len(named) >= MANY_CALLERS)
