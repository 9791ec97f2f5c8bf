"""What a page draws from: the bill brought up to date, and what the address asks of it."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from chargeback.access.rows import EVERYTHING, Rows, rows_of
from chargeback.billing_period import today
from chargeback.closing.book import Book, ClosedMonth
from chargeback.closing.statements import Statements, book_of
from chargeback.errors import Problem, SourceProblem, unforeseen
from chargeback.formats import month_name
from chargeback.reports.answers import Answers
from chargeback.reports.overview import SHOWN, moved_most, overview
from chargeback.reports.period_status import INVOICED, status_of
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.settings import load_settings
from chargeback.store.local import LocalStore
from chargeback.store.manifest import Manifest
from chargeback.ui import daily_spend, navigation, sign_in
from chargeback.ui.filters import asked_view, draw_filters
from chargeback.ui.problems import RETRY_SECONDS, failures
from chargeback.workspace import Workspace

CONTEXT = "context"
State = tuple[tuple[str, ...], str, str]
"""Of the versions in the store, the rules, and what is odd about the bill."""


@dataclass(frozen=True)
class Context:
    """What a page draws from; made anew for each run by app.py."""

    workspace: Workspace
    answers: Answers
    view: View
    month_end: Statements | Problem
    """The statements; or why it is not known which months are closed."""
    problem: Problem | None
    """Why the figures could not be brought up to date, if so."""

    @property
    def statements(self) -> Statements:
        """What is charged, in closed and open months. Raises Problem."""
        if isinstance(self.month_end, Problem):
            raise self.month_end
        return self.month_end

    @property
    def closed(self) -> ClosedMonth | None:
        """The month's close, if it is known to be closed."""
        if isinstance(self.month_end, Problem):
            return None
        return self.month_end.book.find(self.view.month)

    @property
    def manifest(self) -> Manifest:
        """Where the month's figures come from."""
        return self.answers.manifest(self.view.month)

    @property
    def is_invoiced(self) -> bool:
        """Whether the month is over, on invoices, and nothing about it is open.

        That of the bill as it is now: a closed month has its own state.
        """
        return status_of(self.answers, self.view.month, today()) == INVOICED


def current() -> Context:
    """The context of this run, for pages over the bill."""
    context: Context = _handed_over()
    return context


def workspace() -> Workspace:
    """What is configured, for pages that need no bill."""
    configured: Workspace = _handed_over()
    return configured


def _handed_over() -> Any:  # noqa: ANN401  (what app.py prepared for this kind of page)
    if CONTEXT not in st.session_state:
        # What runs the script without serving `app`, as AppTest does, has not heard that this app
        # has a navigation of its own, and runs the page alone. Say so, and run again.
        navigation.announce()
        st.rerun()
    return st.session_state.pop(CONTEXT)


@st.cache_resource(show_spinner=False)  # nobody looks: what is cached in it shows no progress
def make_ready() -> None:
    """Opens the bill as the store holds it, and asks what the first page asks of it.

    Not where the store is in Athena: there, questions that nobody asked would cost money.

    Raises:
        Problem: there is nothing to open.
    """
    workspace = _workspace()
    if not isinstance(workspace.store, LocalStore):
        return
    answers, _ = _reports_now(workspace)
    for month in answers.months[:1]:
        for currency in list(answers.bill(month).totals)[:1]:
            view = View(month, currency, EVERYTHING)
            filter_options(answers, view)
            found = overview(answers, view, today())
            daily_spend.ask(answers, view, SHOWN[0], found.rankings[SHOWN[0]])
            moved_most(answers, view, today(), SHOWN[0])


def prepare_workspace() -> None:
    """Hands over what is configured. Raises UsageProblem if a setting is wrong."""
    st.session_state[CONTEXT] = _workspace()


def prepare(*, is_whole: bool = False) -> None:
    """Opens the bill, brings it up to date, draws the filters.

    Args:
        is_whole: whether the page is always about the whole bill of a month: filters don't apply.

    Raises:
        Problem: there is nothing to show.
    """
    workspace = _workspace()
    problem = _bring_up_to_date(workspace)
    try:
        answers, state = _reports_now(workspace)
    except SourceProblem as failed:  # the store is in Athena, which can't be asked now
        if workspace.source.source_id not in _last_reports():
            raise
        problem, (answers, state) = failed, _last_reports()[workspace.source.source_id]
    if not answers.months:
        raise (
            problem
            or next(iter(answers.problems.values()), None)
            or Problem("The bill holds no billing period yet.", "There is nothing to show.")
        )
    rows = rows_of(sign_in.viewer(workspace.settings).actor)
    view = asked_view(answers, rows)
    if not is_whole:
        draw_filters(answers, view)
    shown = view.unfiltered if is_whole else view
    month_end = _month_end(workspace, answers, state, rows)
    st.session_state[CONTEXT] = Context(workspace, answers, shown, month_end, problem)


@st.cache_resource
def _workspace() -> Workspace:
    return Workspace(load_settings())


def _reports_now(workspace: Workspace) -> tuple[Answers, State]:
    """The reports, and what they are the only ones of."""
    source_id = workspace.source.source_id
    keys = tuple(period.key for period in workspace.store.periods(source_id))
    state = keys, workspace.rules.cache_key, str(workspace.bill_notices)
    _last_reports()[source_id] = _reports(state, workspace), state
    return _last_reports()[source_id]


@st.cache_resource
def _last_reports() -> dict[str, tuple[Answers, State]]:
    """What was shown of a bill last; of it the answers that were given stay known."""
    return {}


@st.cache_resource(max_entries=3, show_spinner="Reading the spend store…")
def _reports(state: State, _workspace: Workspace) -> Answers:
    """One Reports per state of the store, of the rules and of the bill, which come first."""
    return _workspace.answers()


def _month_end(
    workspace: Workspace, answers: Answers, state: State, rows: Rows
) -> Statements | Problem:
    """The statements of what the store and the ledger hold now; or why the ledger can't be read.

    Pages of the bill stay up without it, and say so: what is charged is not shown then.
    """
    try:
        book = book_of(workspace, answers)
    except Problem as problem:
        return problem
    except OSError as error:
        return unforeseen(error)
    known = (state, str(workspace.allocation), book.key, today())
    return _statements(known, rows, workspace, book, answers)


@st.cache_resource(max_entries=8, show_spinner=False)
def _statements(
    state: tuple[Hashable, ...],
    rows: Rows,
    _workspace: Workspace,
    _book: Book,
    _answers: Answers,
) -> Statements:
    """One Statements per state of the store, the rules, the ledger and the day."""
    return Statements(_workspace, _book, _answers, rows, today())


def _bring_up_to_date(workspace: Workspace) -> Problem | None:
    """Reads what the source has newer, showing which month and how far; says if it can't."""
    for failed_at, problem in list(failures().items()):
        if time.monotonic() < failed_at + RETRY_SECONDS:
            return problem
    place = st.empty()
    try:
        bucket = int(time.time() // workspace.source.recheck_seconds)
        if _is_current(workspace.source.source_id, bucket, workspace):
            return None
        with place.status("Reading the bill…", expanded=True):
            bar = st.progress(0.0)

            def show(month: str, done: int, of: int) -> None:
                bar.progress(done / of, f"{month_name(month)}: {done + 1} of {of}")

            workspace.refresh(progress=show)
        _is_current.clear()
        st.rerun()
    except Problem as problem:
        place.empty()
        failures().clear()
        failures()[time.monotonic()] = problem
        return problem
    return None


@st.cache_data(max_entries=8, show_spinner=False)
def _is_current(source_id: str, bucket: int, _workspace: Workspace) -> bool:
    """Asks the source at most once per bucket of time."""
    _workspace.write_demo_bill()
    return not _workspace.out_of_date()
