"""What the terminal is shown: text that can't steer it, and how far something is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargeback.store.base import Progress  # slow: reads no month


class NotClean(Exception):  # noqa: N818  (nothing failed: --strict asked for the status)
    """A blocking notice stands, or the figures are not up to date."""


def shown(text: str, encoding: str) -> str:
    """Names on a bill are anybody's: none may steer the terminal or be more than it can show."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable.encode(encoding, "replace").decode(encoding)


def progress() -> Progress | None:
    """One line on a terminal, nothing when piped."""
    if not sys.stderr.isatty():
        return None

    def show(month: str, done: int, of: int) -> None:
        end = "\n" if done + 1 == of else ""
        print(f"\r{month}  {done + 1} of {of}", end=end, file=sys.stderr, flush=True)

    return show


def counting(month: str) -> Callable[[int, int], None] | None:
    """The same of things that are counted from 1."""
    show = progress()
    return show and (lambda at, of: show(month, at - 1, of))
