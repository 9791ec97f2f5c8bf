"""What can go wrong, told so that a reader of the numbers can act on it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class Problem(Exception):  # noqa: N818  (it is shown to people, who have problems, not errors)
    """Something that keeps figures from being read or that limits what they can tell.

    Args:
        what: what happened, in one sentence without secrets, queries or paths of the server.
        means: what it means for the numbers.
        todo: what the reader can do about it.
    """

    def __init__(self, what: str, means: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what, self.means, self.todo = what, means, todo

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.means, self.todo) if part)


class UsageProblem(Problem):
    """A request or a setting that cannot be carried out as it stands: exit status 2."""


class SourceProblem(Problem):
    """The bill cannot be read now; what was read before still stands."""


def distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, however many sources have it: what happened tells them apart."""
    known: dict[str, Problem] = {}
    for problem in problems:
        known.setdefault(problem.what, problem)
    return tuple(known.values())


def unforeseen(error: Exception) -> Problem:
    """What the machine refused while figures were worked out, without paths or statements.

    Args:
        error: an OSError, or DuckDB's.
    """
    if isinstance(error, OSError):
        file = Path(error.filename).name if isinstance(error.filename, str) else "A file"
        return Problem(
            f"{file}: {error.strerror}.",
            "Whatever needs it can't be shown or written; no figure has changed.",
            "Check free disk space, and that this user may read and write the data.",
        )
    return Problem(
        "The figures can't be calculated on this machine at present.",
        "Nothing is shown rather than wrong figures; nothing has changed.",
        "Check its memory and disk space, then refresh: that rebuilds damaged files.",
    )
