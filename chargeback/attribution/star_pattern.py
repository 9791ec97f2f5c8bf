"""Patterns over ARNs in which `*` stands for any text, and every other character for itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

STAR = "*"


@dataclass(frozen=True, slots=True)
class StarPattern:
    """What stands before the first star, between stars, and after the last."""

    before: str
    between: tuple[str, ...]
    after: str

    @classmethod
    def read(cls, text: str) -> Self:
        """The pattern that a text with at least one star describes."""
        before, *between, after = text.split(STAR)
        return cls(before, tuple(part for part in between if part), after)

    @property
    def literals(self) -> int:
        """How many characters stand for themselves."""
        return len(self.before) + len(self.after) + sum(map(len, self.between))

    def matches(self, text: str) -> bool:
        """Whether the whole text fits, in a time that grows with its length alone.

        Each part between stars may be taken where it first occurs: what follows has the most room
        then, so nothing ever has to be tried again.
        """
        at, end = len(self.before), len(text) - len(self.after)
        if at > end or not (text.startswith(self.before) and text.endswith(self.after)):
            return False
        for part in self.between:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


@lru_cache(maxsize=65_536)
def star_pattern(text: str) -> StarPattern:
    """A pattern, read once."""
    return StarPattern.read(text)


def fits(pattern: str, text: str) -> bool:
    """Whether a text is the pattern's, which may have no star."""
    return star_pattern(pattern).matches(text) if STAR in pattern else pattern == text
