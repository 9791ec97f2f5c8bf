"""Sessions of a role that are kept as one: under which ARN, and what tells them from each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from chargeback.attribution.gateways import NAMED_BY_SDK
from chargeback.attribution.identity import TAG_MAPS
from chargeback.attribution.principal import (
    OTHER_SESSIONS,
    SDK_SESSIONS,
    read_principal,
)

SESSION_TAG = "iamprincipal/"
"""Begins the keys of tags that a caller brings along, its role's or its session's, in any case."""


def folded_arn(iam_principal: str) -> str:
    """The ARN under which a session is kept with others of its role; '' for what never is.

    People who signed in, instances, pods, tasks, functions and AWS's own services keep their names:
    these say who or what it is. Of all others an SDK's are apart, as they make no gateway.
    """
    principal = read_principal(iam_principal)
    if principal.type != "role session":
        return ""
    named = SDK_SESSIONS if NAMED_BY_SDK.fullmatch(principal.session) else OTHER_SESSIONS
    return f"{role_of_session(iam_principal)}{named}"


def role_of_session(iam_principal: str) -> str:
    """What the ARNs of a role's sessions have in common: all that stands before their names."""
    account, role, *_ = iam_principal.split("/", maxsplit=2)
    return f"{account}/{role}/"


def session_tags(row: Mapping[str, str]) -> str:
    """The tags that the caller of a row of queries/store/identities.sql brings along, as JSON."""
    return _session_tags(*(row[each] for each in TAG_MAPS))


@lru_cache(maxsize=65_536)
def _session_tags(*maps: str) -> str:
    tags = {
        key: value
        for text in maps
        for key, value in json.loads(text).items()
        if key.casefold().startswith(SESSION_TAG)
    }
    return json.dumps(tags, sort_keys=True)
