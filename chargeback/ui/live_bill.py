"""The bill as a server shows it: a thread keeps it up to date, all viewers see the last figures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from typing import Final

import duckdb

from chargeback.errors import Problem, unforeseen
from chargeback.formats import month_name
from chargeback.memory import Memory
from chargeback.reports.answers import Answers
from chargeback.ui.problems import RETRY_SECONDS
from chargeback.workspace import Workspace

LOG = logging.getLogger(__name__)
STATEMENTS_KEPT: Final = 8
LOOK_SECONDS: Final = 0.1
"""How long whoever has the source looked at waits for it: files take less, and a page that is drawn
meanwhile would be drawn again."""


@dataclass(frozen=True, slots=True)
class State:
    """What tells one state of the figures from another."""

    versions: tuple[str, ...]
    """Of the store."""
    rules: str
    notices: str
    """What is odd about the bill."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is shown of a state."""

    answers: Answers
    state: State
    statements: Memory = field(default_factory=lambda: Memory(STATEMENTS_KEPT))
    """Of the states of the ledger."""


@dataclass(frozen=True, slots=True)
class Step:
    """The month that is being read, and how far that is."""

    month: str
    number: int
    of: int

    @property
    def in_words(self) -> str:
        """'September 2026, 2 of 3'."""
        return f"{month_name(self.month)}, {self.number} of {self.of}"


class LiveBill:
    """Safe to share between threads.

    Args:
        workspace: whose bill it is.
        failures: why the source could not be read the last time, and when that was.
        prepare: asks newer answers what readers will ask, before these see them.
    """

    def __init__(
        self,
        workspace: Workspace,
        failures: dict[float, Problem],
        prepare: Callable[[Workspace, Answers], None],
    ) -> None:
        self._workspace, self._failures, self._prepare = workspace, failures, prepare
        self._figures: Figures | None = None
        self._changed, self._opening = Condition(), Lock()
        self._thread: Thread | None = None
        self._looked_in = -1
        """The span of time in which the source was asked last."""
        self._is_first = self._is_looking = False
        self._step: Step | None = None

    @property
    def is_working(self) -> bool:
        """Whether the source is being looked at or read, or new figures are being worked out."""
        return self._thread is not None

    @property
    def is_reading(self) -> bool:
        """The same once it is known that there is something newer."""
        return self.is_working and not self._is_looking

    @property
    def step(self) -> Step | None:
        """The month that is being read now."""
        return self._step

    @property
    def problem(self) -> Problem | None:
        """Why the source could not be read a short while ago, if so."""
        for failed_at, problem in list(self._failures.items()):
            if time.monotonic() < failed_at + RETRY_SECONDS:
                return problem
        return None

    def look(self) -> None:
        """Has the source asked for something newer, where that is due. Raises Problem."""
        span = int(time.time() // self._workspace.source.recheck_seconds)
        with self._changed:
            if self.is_working or self.problem or span == self._looked_in:
                return
            self._is_first = self._figures is None and not self._state().versions
            self._looked_in = span
            self._failures.clear()
            self._begin(is_looking=True)
            self._changed.wait_for(lambda: not self.is_working, LOOK_SECONDS)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until nothing is done any more, or so long; whether nothing is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.is_working, seconds)

    @property
    def is_awaited(self) -> bool:
        """Whether there is nothing to show until the first reading ends."""
        return self.is_working and self._is_first

    def is_newest(self, answers: Answers) -> bool:
        """Whether nothing newer is known; where the source is being looked at, after that."""
        with self._changed:
            self._changed.wait_for(lambda: not (self.is_working and self._is_looking))
            return (
                not self.is_working
                and self._figures is not None
                and (self._figures.answers is answers)
            )

    def figures(self) -> tuple[Figures, Problem | None]:
        """The last good figures; and why it is not known whether they are the newest, if so.

        Only who is the first, or comes after the rules were changed, waits until they are worked
        out.

        Raises:
            Problem: there are none.
        """
        try:
            state = self._state()
        except Problem as problem:  # the store is in Athena, which can't be asked now
            if self._figures is None:
                raise
            return self._figures, problem
        shown = self._figures
        if shown is None or shown.state.rules != state.rules:
            return self.open(), None
        with self._changed:
            if shown is self._figures and shown.state != state and not self.is_working:
                self._begin(is_looking=False)
        return shown, None

    def _state(self) -> State:
        periods = self._workspace.store.periods(self._workspace.source.source_id)
        return State(
            tuple(period.key for period in periods),
            self._workspace.rules.cache_key,
            str(self._workspace.bill_notices),
        )

    def open(self) -> Figures:
        """The figures of the store as it is now, worked out if need be. Raises Problem."""
        with self._opening:
            state = self._state()
            if self._figures is None or self._figures.state != state:
                answers = self._workspace.answers()
                if self._figures is not None and self.is_working:  # nobody waits for these
                    self._prepare_quietly(answers)
                if not state.versions:  # what was never read is no figure that stays up meanwhile
                    return Figures(answers, state)
                self._figures = Figures(answers, state)
            return self._figures

    def _prepare_quietly(self, answers: Answers) -> None:
        try:
            self._prepare(self._workspace, answers)
        except (Problem, OSError, duckdb.Error) as error:
            LOG.info("Nothing could be asked before, which pages will say: %s", error)

    def _begin(self, *, is_looking: bool) -> None:
        self._is_looking = is_looking
        # Nothing is lost if the process ends meanwhile: a month is taken whole or not at all.
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            if self._is_looking:
                self._look()
            if self._figures is not None:
                self.open()
        except Problem as problem:
            self._failed(problem)
        except Exception as error:
            LOG.exception("The bill could not be brought up to date.")
            self._failed(unforeseen(error))
        finally:
            with self._changed:
                self._thread, self._step, self._is_first = None, None, False
                self._changed.notify_all()

    def _failed(self, problem: Problem) -> None:
        self._looked_in = -1  # once the failure is forgotten it is tried again
        self._failures[time.monotonic()] = problem

    def _look(self) -> None:
        self._workspace.write_demo_bill(self._show)
        behind = [period.billing_period for period in self._workspace.out_of_date()]
        if not behind:
            return

        def show(month: str, _done: int, _of: int) -> None:
            if month in behind:
                self._show(month, behind.index(month), len(behind))

        with self._changed:
            self._is_looking = False
            self._changed.notify_all()
        self._workspace.refresh(progress=show)

    def _show(self, month: str, done: int, of: int) -> None:
        self._step = Step(month, done + 1, of)
