"""What can go wrong, told so that a reader of the numbers can act on it."""

from __future__ import annotations


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
