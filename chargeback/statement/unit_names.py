"""How people call the units that are charged: files have an account's digits, a caller's ARN."""

from __future__ import annotations

from collections.abc import Callable

from chargeback.attribution.principal import read_principal
from chargeback.dimensions import UNALLOCATED
from chargeback.reports.answers import Answers
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View

Named = Callable[[str], str]
"""What people call a unit."""


def caller_name(iam_principal: str) -> str:
    """Who called, and as which role: 'acme-corp (llm-gateway)'."""
    who = read_principal(iam_principal)
    if iam_principal == UNALLOCATED or who.role in ("", who.name):
        return who.name
    return f"{who.name} ({who.role})"


def names_of(answers: Answers, view: View, by: str) -> Named:
    """How people call the units of a kind.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: a key of CHARGED.
    """
    if by == "principal":
        return caller_name
    if by == "account":
        accounts = filter_options(answers, view)["account"]
        return lambda unit: accounts.get(unit, unit)
    return str
