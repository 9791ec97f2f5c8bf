"""What can go wrong in Athena and S3, to be asked for in tests; the words are AWS's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, TypeVar

FOREVER = 1_000_000
"""Times that something happens, where it goes on happening."""


@dataclass
class Refusal:
    """A call that AWS answers with an error.

    Args:
        operation: `StartQueryExecution`, …, `GetObject`, or `*` for every call.
        code: AWS's code of the error.
        message: AWS's message.
        status: HTTP status.
        times: how often; `FOREVER` unless said.
        too_late: whether S3 does what it was asked for all the same, as where its answer is lost.
    """

    operation: str
    code: str
    message: str
    status: int = 400
    times: int = FOREVER
    too_late: bool = False


@dataclass
class Fate:
    """What becomes of a query that was accepted.

    Args:
        end: `FAILED` with a reason; `ENDLESS`, running until it is cancelled; `VANISHED`, when its
            results are deleted at once; `GARBLED`, when its files are cut short.
        words: what the statement contains; any statement unless said.
        reason: Athena's reason for a failed one.
        times: how many queries; `FOREVER` unless said.
    """

    end: Literal["FAILED", "ENDLESS", "VANISHED", "GARBLED"]
    words: str = ""
    reason: str = ""
    times: int = FOREVER


def throttled(operation: str = "StartQueryExecution", times: int = FOREVER) -> Refusal:
    """Too many calls of one account (Athena User Guide, "Service Quotas")."""
    return Refusal(operation, "ThrottlingException", "Rate exceeded", times=times)


def server_error(operation: str = "StartQueryExecution", times: int = FOREVER) -> Refusal:
    """Athena's own, transient failure."""
    return Refusal(operation, "InternalServerException", "Internal error", 500, times)


def expired_credentials(operation: str = "*") -> Refusal:
    """A session token after its hour."""
    message = "The security token included in the request is expired"
    return Refusal(operation, "ExpiredTokenException", message)


Planned = TypeVar("Planned", Refusal, Fate)


@dataclass
class Failures:
    """What is planned to go wrong; nothing at first."""

    refusals: list[Refusal] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def plan(self, *failures: Refusal | Fate) -> None:
        """Lets these happen from now on, the first that fits counts."""
        self.refusals += [failure for failure in failures if isinstance(failure, Refusal)]
        self.fates += [failure for failure in failures if isinstance(failure, Fate)]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.refusals, self.fates = [], []

    def refusal_of(self, operation: str) -> Refusal | None:
        """The error that a call is to be answered with, if any; it counts as one time."""
        fitting = [one for one in self.refusals if one.operation in ("*", operation)]
        return self._once(fitting)

    def fate_of(self, sql: str) -> Fate | None:
        """What is to become of a query, if not success; it counts as one time."""
        return self._once([one for one in self.fates if one.words in sql])

    def _once(self, fitting: list[Planned]) -> Planned | None:
        with self._lock:
            for failure in fitting:
                if failure.times > 0:
                    failure.times -= 1
                    return failure
        return None
