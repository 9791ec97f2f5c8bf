"""Regular expressions of the rules, which meet whatever text callers give themselves.

A session is named by whoever opens it, so no text may make a pattern take long: RE2 runs every
pattern in a time that grows with the text's length alone, and has no syntax that could not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

import re2

OPTIONS = re2.Options()
OPTIONS.log_errors = False  # they are told in our own words
VALUE = re.compile(r"\(\?P?<value>")
ADVICE = (
    (
        re.compile(r"\(\?<?[=!]"),
        "it looks ahead or behind. Match the text around the value too, and put only the value in "
        "the group: ^team-(?P<value>[a-z]+)-; what is to be excluded takes a source before it",
    ),
    (
        re.compile(r"\\[1-9]|\(\?P="),
        "it refers back to what it matched. Write each text that may be repeated as a pattern of "
        "its own",
    ),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "it forbids trying again, which is never done here. Leave out ?> and the + after a "
        "repetition",
    ),
    (re.compile(r"\\Z"), r"the end of the text is written $, not \Z"),
)
"""What RE2 does not take and Python does, and how to write it."""


class Pattern(Protocol):
    """A compiled pattern; RE2's Python package has no types of its own."""

    groupindex: Mapping[str, int]

    def search(self, text: bytes) -> Mapping[int, bytes | None] | None:
        """The first place where it fits, by group."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> tuple[Pattern, int]:
    """A pattern, ready to search, and the number of its group `value`.

    Raises:
        ValueError: it can't be used; says why, and how to write it.
    """
    try:
        found: Pattern = re2.compile(pattern, OPTIONS)  # type: ignore[no-untyped-call]
    except re2.error as error:
        raise ValueError(_refusal(pattern, error)) from error
    if len(VALUE.findall(pattern)) != 1 or "value" not in found.groupindex:
        raise ValueError("the pattern needs one group named value: (?P<value>…)")
    return found, found.groupindex["value"]


@lru_cache(maxsize=65_536)
def value_in(pattern: str, text: str) -> str:
    """What the pattern's group `value` holds of a text; '' where it does not fit."""
    if not text:
        return ""
    found, group = compiled(pattern)
    # As bytes, RE2 need not count characters.
    fits = found.search(text.encode())
    return (fits[group] or b"").decode("utf-8", "replace") if fits else ""


def _refusal(pattern: str, error: re2.error) -> str:
    for written, advice in ADVICE:
        if written.search(pattern):
            return f"the pattern can't be used: {advice}"
    said = error.args[0] if error.args else ""
    why = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"not a regular expression of RE2's syntax: {why}"
