"""What a page draws from: the bill brought up to date, and what the address asks of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import streamlit as st

from chargeback.access.rows import EVERYTHING, Rows, rows_of
from chargeback.billing_period import today
from chargeback.closing.book import Book, ClosedMonth
from chargeback.closing.statements import Statements, book_of
from chargeback.enrichment.local_tables import LocalTables
from chargeback.errors import Problem, unforeseen
from chargeback.ledger.ledger import FolderLedger
from chargeback.reports.answers import Answers
from chargeback.reports.overview import SHOWN
from chargeback.reports.period_status import INVOICED, status_of
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.settings import load_settings
from chargeback.store.local import LocalStore
from chargeback.store.manifest import Manifest
from chargeback.ui import daily_spend, navigation, sign_in
from chargeback.ui.filters import asked_view, draw_filters
from chargeback.ui.live_bill import Figures, LiveBill, State
from chargeback.ui.problems import failures
from chargeback.workspace import Workspace

CONTEXT = "context"
WAIT_SECONDS = 0.5
MONTHS_READY = 12
"""How many are asked before anybody looks; each takes a second of a core, or less."""
LEDGER_SECONDS = 5
"""How long all viewers go by one look at a ledger in S3; what is done here is seen at once."""


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
    live: LiveBill
    """What brings them up to date."""
    is_outcome_awaited: bool
    """Whether it was at work when the figures were taken: what comes of it is not among them."""

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
    """Opens the bill as the store holds it, and asks what Overview asks of it, month by month.

    Raises:
        Problem: there is nothing to open.
    """
    workspace = _workspace()
    if isinstance(workspace.store, LocalStore):
        answers = live_bill().open().answers
        for month in answers.months[:MONTHS_READY]:
            _ask_overview(workspace, answers, month)
        _hold_days(answers)  # last: who comes meanwhile waits for a month


def _newest_ready(workspace: Workspace, answers: Answers) -> None:
    """The same of the newest month alone, before anybody sees it; and days are held in memory."""
    for month in answers.months[:1]:
        _ask_overview(workspace, answers, month)
    _hold_days(answers)


def _hold_days(answers: Answers) -> None:
    if isinstance(answers.tables, LocalTables):
        answers.tables.hold_days()


def _ask_overview(workspace: Workspace, answers: Answers, month: str) -> None:
    """Not where the store is in Athena: there, questions that nobody asked would cost money."""
    if not isinstance(workspace.store, LocalStore):
        return
    for currency in list(answers.bill(month).totals)[:1]:
        view = View(month, currency, EVERYTHING)
        filter_options(answers, view)
        daily_spend.ask_with_movers(answers, view, today(), SHOWN[0])


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
    workspace, live = _workspace(), live_bill()
    live.look()
    if live.is_awaited:
        _wait_for_the_first(live)
    was_working = live.is_working
    with st.spinner("Reading the spend store…"):
        figures, unread = live.figures()
    problem, answers = unread or live.problem, figures.answers
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
    month_end = _month_end(workspace, figures, rows)
    awaited = was_working or live.is_working
    st.session_state[CONTEXT] = Context(
        workspace, answers, shown, month_end, problem, live, awaited
    )


@st.cache_resource
def _workspace() -> Workspace:
    return Workspace(load_settings())


@st.cache_resource
def live_bill() -> LiveBill:
    """The bill that all viewers look at."""
    return LiveBill(_workspace(), failures(), _newest_ready)


def _wait_for_the_first(live: LiveBill) -> None:
    """While there is nothing to show: which month is being read, and how far that is."""
    place = st.empty()
    with place.status("Reading the bill…", expanded=True):
        bar = st.progress(0.0)
    while not live.wait(WAIT_SECONDS):
        step = live.step
        bar.progress((step.number - 1) / step.of if step else 0.0, step.in_words if step else None)
    place.empty()


def _month_end(workspace: Workspace, figures: Figures, rows: Rows) -> Statements | Problem:
    """The statements of what the store and the ledger hold now; or why the ledger can't be read.

    Pages of the bill stay up without it, and say so: what is charged is not shown then.
    """
    answers = figures.answers
    try:
        book = _book_now(workspace, figures)
    except Problem as problem:
        return problem
    except OSError as error:
        return unforeseen(error)
    return figures.statements.of(
        (str(workspace.allocation), book.key, today(), rows),
        lambda: Statements(workspace, book, answers, rows, today()),
    )


def _book_now(workspace: Workspace, figures: Figures) -> Book:
    """The ledger; one in S3 as it was a few seconds ago, as each look is two requests."""
    if isinstance(workspace.ledger, FolderLedger):
        return book_of(workspace, figures.answers)
    span = int(time.monotonic() // LEDGER_SECONDS)
    return _book_lately(span, figures.state, workspace, figures.answers)


@st.cache_resource(max_entries=1, show_spinner=False)
def _book_lately(span: int, state: State, _workspace: Workspace, _answers: Answers) -> Book:
    """Asks the ledger once for a span of time, and for what the bill is then."""
    return book_of(_workspace, _answers)


def ledger_has_changed() -> None:
    """Has the next run look at the ledger."""
    _book_lately.clear()
