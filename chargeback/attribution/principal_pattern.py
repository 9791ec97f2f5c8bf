"""Which callers a text names: one grammar for the owner list and for the rules of allocation.

1. `*` stands for any text, none included; every other character for itself, case and all.
2. The whole ARN has to fit: `arn:aws:iam::*:role/search` is no `role/search-batch`.
3. It is held against the ARN as billed, and against the ARN of its role: a session
   `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` is also `arn:aws:iam::ACCOUNT:role/NAME`.
4. The role's ARN is without a path, as AWS leaves it out of a session's.
5. Who signs in with IAM Identity Center is also known by the name of their session.
"""

from __future__ import annotations

import re
from typing import Final

from chargeback.attribution.principal import read_principal, role_arn
from chargeback.attribution.star_pattern import STAR, fits

AS_BILLED: Final = 4
PERSON: Final = 3
"""Somebody who signed in with IAM Identity Center, by name."""
ROLE: Final = 2
PATTERN: Final = 1

OTHER_WILDCARDS = re.compile(r"[?\[\]{}()|^$%\\]")
"""What somebody may have meant as another wildcard; no ARN of a principal has any."""

SESSION_PATTERN = re.compile(r"[\w+=,.@*-]+", re.ASCII)
"""A pattern that a session's name may fit (AWS STS API Reference, AssumeRole, RoleSessionName)."""


def names_of(iam_principal: str) -> dict[str, int]:
    """What a caller is known by, and how closely each names it; the greater counts."""
    if not iam_principal:
        return {}
    principal = read_principal(iam_principal)
    person = principal.group if principal.type == "SSO user" else ""
    known = {role_arn(iam_principal): ROLE, person: PERSON, iam_principal: AS_BILLED}
    return {name: kind for name, kind in known.items() if name}


def matches(pattern: str, iam_principal: str) -> bool:
    """Whether a text names a caller, as an owner list's row and a rule's `principal` do."""
    return any(fits(pattern, name) for name in names_of(iam_principal))


def names_some_sessions(pattern: str, role_session: str) -> bool:
    """Whether a text may name some sessions of a role, and not all.

    Args:
        pattern: of an owner list's row or a rule's `principal`.
        role_session: what stands before the names of the role's sessions in their ARNs.
    """
    if fits(pattern, role_arn(f"{role_session}-")):
        return False  # by the role, all of them
    rests = _rests(tidied(pattern), role_session)
    return STAR not in rests and any(map(SESSION_PATTERN.fullmatch, rests))


def _rests(pattern: str, beginning: str) -> set[str]:
    """What is left of a pattern once it has met the beginning of a text, in each way it can."""
    literal = pattern.partition(STAR)[0]
    if not (beginning.startswith(literal) or literal.startswith(beginning)):
        return set()
    rests = _without_stars({pattern})
    for character in beginning:
        met = {each[1:] for each in rests if each[:1] == character and character != STAR}
        rests = _without_stars(met | {each for each in rests if each.startswith(STAR)})
    return rests


def _without_stars(rests: set[str]) -> set[str]:
    """With what is left where a star stands for no text."""
    return rests | {each.lstrip(STAR) for each in rests}


def other_wildcard(pattern: str) -> str:
    """The first character that somebody may have meant as another wildcard; '' for none.

    None of them is ever part of a principal's ARN.
    """
    found = OTHER_WILDCARDS.search(pattern)
    return found[0] if found else ""


def tidied(pattern: str) -> str:
    """The same pattern with one spelling: several stars in a row are one."""
    return re.sub(r"\*+", STAR, pattern)
