"""What a check of the set-up is, and what several of them say."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chargeback.errors import Problem

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


def count(things: Sized, word: str) -> str:
    """'1 request', '2 requests'."""
    return f"{len(things):,} {word}{'' if len(things) == 1 else 's'}"


def moment(time: datetime) -> str:
    """'23 November 2026, 12:05 UTC'; the time is in UTC."""
    return f"{time:%-d %B %Y, %H:%M} UTC"
