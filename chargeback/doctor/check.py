"""What a check of the set-up is, and what several of them say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Literal

from chargeback.errors import Problem

NAMES_LISTED = 3
State = Literal["ok", "warning", "problem", "unknown"]

EXPORTS_PAGE = "Billing and Cost Management > Data Exports"
TAGS_PAGE = "Billing and Cost Management > Cost allocation tags"
REFRESH = "python -m chargeback refresh"
MAKE_EXPORT = (
    "aws cloudformation deploy --region us-east-1 --stack-name bedrock-chargeback "
    "--template-file deploy/chargeback.yaml --capabilities CAPABILITY_NAMED_IAM"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    found: str
    """What is there, in a few words."""
    means: str = ""
    """What that means for the numbers; '' where all is well."""
    todo: str = ""
    """The exact fix: where to go, what to choose."""
    command: str = ""
    """The same as a command to copy, where there is one."""


def failed(name: str, problem: Problem, state: State = "problem") -> Check:
    """A check that a problem answers."""
    return Check(name, state, problem.what, problem.means, problem.todo)


def together(checks: Iterable[Check]) -> list[Check]:
    """Checks that found the same, as one that bears their names; in order."""
    found: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        key = (check.state, check.found, check.means, check.todo, check.command)
        found.setdefault(key, []).append(check)
    return [replace(same[0], name=_listed([each.name for each in same])) for same in found.values()]


def _listed(names: Sequence[str]) -> str:
    """'Cost Explorer, Invoices'; the first alone of more than a line can hold."""
    first, *others = dict.fromkeys(names)
    if len(others) < NAMES_LISTED:
        return ", ".join([first, *others])
    return f"{first} and {len(others)} more"


def count(things: Sized, word: str) -> str:
    """'1 request', '2 requests'."""
    return f"{len(things):,} {word}{'' if len(things) == 1 else 's'}"
