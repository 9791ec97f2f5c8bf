"""What every page shares: the bill, the month, the filters, the header, and how problems look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from chargeback.billing_period import today
from chargeback.errors import Problem, SourceProblem
from chargeback.notices import Notice
from chargeback.reports.answers import INVOICED, Reports, View
from chargeback.settings import load_settings
from chargeback.store.manifest import Manifest
from chargeback.ui import address
from chargeback.ui.address import FILTERS
from chargeback.ui.formats import count, moment, month_name, plain
from chargeback.workspace import Workspace

CONTEXT = "context"
FOLDED_ABOVE = 2
"""Notices that block nothing: so many stand on the page, more are folded."""
OFFERED = 300
"""How many values a filter lists; with a few hundred thousand tenants the browser would stall."""
RETRY_SECONDS = 300
"""How long a source that failed is left alone: a click must neither wait for it nor pay for it."""


@dataclass(frozen=True)
class Context:
    """What a page draws from; made anew for each run by app.py."""

    workspace: Workspace
    reports: Reports
    view: View
    problem: Problem | None
    """Why the figures could not be brought up to date, if so."""

    @property
    def manifest(self) -> Manifest:
        """Where the month's figures come from."""
        return self.reports.manifest(self.view.month)

    @property
    def is_invoiced(self) -> bool:
        """Whether the month is over, on invoices, and nothing about it is open."""
        return self.reports.status(self.view.month, today()) == INVOICED

    @property
    def unfiltered(self) -> View:
        """The whole month in the view's currency."""
        return View(self.view.month, self.view.currency)


def current() -> Context:
    """The context of this run, for pages over the bill."""
    context: Context = _handed_over()
    return context


def workspace() -> Workspace:
    """What is configured, for pages that need no bill."""
    handed_over: Workspace = _handed_over()
    return handed_over


def _handed_over() -> Any:  # noqa: ANN401  (what app.py prepared for this kind of page)
    handed_over = st.session_state.pop(CONTEXT, None)
    if handed_over is None:
        # When a server's first request is for a page, Streamlit 1.67 takes pages/ for its older
        # kind of multipage app and runs the page without app.py. Say which kind it is, run again.
        PagesManager.uses_pages_directory = False
        st.rerun()
    return handed_over


def prepare_workspace() -> None:
    """Hands over what is configured. Raises UsageProblem if a setting is wrong."""
    st.session_state[CONTEXT] = _workspace()


def prepare() -> None:
    """Opens the bill, brings it up to date, draws the shared controls.

    Raises:
        Problem: there is nothing to show.
    """
    workspace = _workspace()
    problem = _bring_up_to_date(workspace)
    try:
        reports = _reports_now(workspace)
    except SourceProblem as failed:  # the store is in Athena, which can't be asked now
        if workspace.source.source_id not in _last_reports():
            raise
        problem, reports = failed, _last_reports()[workspace.source.source_id]
    if not reports.months:
        raise (
            problem
            or next(iter(reports.problems.values()), None)
            or Problem("The bill holds no billing period yet.", "There is nothing to show.")
        )
    context = Context(workspace, reports, _controls(reports), problem)
    st.session_state[CONTEXT] = context


@contextmanager
def shown_problems() -> Iterator[None]:
    """Shows a Problem where it happened; the rest of the page stays up."""
    try:
        yield
    except Problem as problem:
        show_problem(problem)


def show_problem(problem: Problem, *, stale: bool = False) -> None:
    """What happened, what it means for the numbers, what to do, and where it can be tried again."""
    text = "  \n".join(
        part
        for part in (f"**{plain(problem.what)}**", plain(problem.means), plain(problem.todo))
        if part
    )
    box = st.warning if stale else st.error
    box(text, icon=":material/sync_problem:" if stale else ":material/error:")
    if problem in list(_failures().values()):
        st.button("Try again", on_click=_failures().clear, icon=":material/refresh:")


def header(context: Context, title: str = "") -> None:
    """The page's title with the month, and the state of its figures."""
    manifest, month = context.manifest, month_name(context.view.month)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{title}, {month}" if title else month, anchor=False, width="stretch")
        _badges(context)
    basis = context.reports.bill(context.view.month).basis_in(context.view.currency)
    st.caption(
        f"Bill as of {moment(manifest.data_as_of)} · {plain(manifest.source)}, "
        f"{plain(manifest.engine)} · {plain(context.view.currency)}, all line types, {basis}"
    )
    if context.view.where:
        st.caption(f"**Only {plain(_narrowed(context.view))}**")
    if context.problem:
        show_problem(context.problem, stale=True)
    show_notices(context.reports.notices(context.view.month))
    for damaged, problem in context.reports.problems.items():
        with st.container(key=f"damaged-{damaged}"):
            show_problem(problem, stale=True)


def show_notices(notices: Sequence[Notice]) -> None:
    """What blocks a month's close stands in full; the rest is folded away where it is long."""
    for each in notices:
        if each.blocks_close:
            st.error(plain(each.words), icon=":material/block:")
    others = [each for each in notices if not each.blocks_close]
    if len(others) <= FOLDED_ABOVE:
        for each in others:
            st.info(plain(each.words), icon=":material/info:")
        return
    with st.expander(count(len(others), "notice") + " about this month", icon=":material/info:"):
        st.markdown("\n".join(f"- {plain(each.words)}" for each in others))


def _narrowed(view: View) -> str:
    """The filters in words: 'team research or search, region us-east-1'."""
    return ", ".join(f"{name} {' or '.join(values)}" for name, values in view.where)


def _badges(context: Context) -> None:
    if context.is_invoiced:
        st.badge(
            "Invoiced",
            icon=":material/task_alt:",
            color="green",
            help="The month is over, every line that costs something is on an invoice, and nothing "
            "about it is open. AWS may still restate it.",
        )
    else:
        st.badge(
            "Provisional",
            icon=":material/hourglass_top:",
            color="orange",
            help="Do not post this month yet: it is not over, not all of it is invoiced, or "
            "something about it is open.",
        )
    if context.view.where:
        st.badge("Part of the bill", icon=":material/filter_alt:", color="blue")
    elif context.reports.ties(context.view.month, context.view.currency):
        st.badge(
            "Adds up to the bill",
            icon=":material/check:",
            color="gray",
            help="All lines shown add up to what was read of the bill, to the last digit. Whether "
            "that is what AWS invoiced stands on Reconciliation.",
        )
    else:
        st.badge("Does not add up to the bill", icon=":material/error:", color="red")
    if context.workspace.settings.is_demo:
        demo_badge()


def demo_badge() -> None:
    """Says that nothing here is anybody's bill."""
    st.badge("Demo data", color="orange")


def _controls(reports: Reports) -> View:
    month = _month(reports.months)
    currencies = list(reports.bill(month).totals)
    currency = address.choice(address.CURRENCY, currencies) if currencies else ""
    # Always in the address: a link to "the newest month" would show another one later.
    address.write({address.MONTH: [month], address.CURRENCY: _said(currency, currencies)})
    where = tuple((name, asked) for name in FILTERS if (asked := _asked(name)))
    options = reports.options(month, currency)
    _say_lacking(where, options, month)
    with st.sidebar:
        _draw_choice("Billing period", address.MONTH, reports.months, month, month_name)
        if len(currencies) > 1:
            _draw_choice("Currency", address.CURRENCY, currencies, currency)
        for name, what in FILTERS.items():
            _draw_filter(name, what, list(options.get(name, ())))
    return View(month, currency, where)


def _month(months: list[str]) -> str:
    asked = address.value(address.MONTH)
    month = asked if asked in months else months[0]
    if asked and asked != month:
        st.warning(plain(f"There is no billing period {asked}; showing {month_name(month)}."))
    return month


def _said(currency: str, currencies: list[str]) -> list[str]:
    """How the address says the currency: where there is one only, it need not."""
    is_asked = address.value(address.CURRENCY).upper() == currency
    return [currency] if is_asked or len(currencies) > 1 else []


def _asked(name: str) -> tuple[str, ...]:
    """The values of a filter, each once."""
    return tuple(dict.fromkeys(address.values(name)))


def _draw_choice(
    label: str, name: str, options: list[str], chosen: str, named: Callable[[str], str] = str
) -> None:
    index, shown = options.index(chosen), address.control(name, chosen)
    st.selectbox(label, options, index, format_func=named, **shown)


def _say_lacking(
    where: tuple[tuple[str, tuple[str, ...]], ...], options: dict[str, dict[str, str]], month: str
) -> None:
    """Says which values of the filters the month's bill does not hold; they stay asked for.

    Without them the page would show all of the bill under an address that asks for a part.
    """
    lacking = [
        f"{name} {value}"
        for name, values in where
        for value in values
        if value not in options.get(name, {})
    ]
    if lacking:
        said = f"Not on the bill of {month_name(month)}: {', '.join(lacking)}."
        st.warning(plain(said), icon=":material/filter_alt:")


def _draw_filter(name: str, what: str, options: list[str]) -> None:
    asked = list(_asked(name))
    is_cut = len(options) > OFFERED
    st.multiselect(
        name.capitalize(),
        list(dict.fromkeys([*options[:OFFERED], *asked])),
        asked,
        placeholder=f"All {what}",
        help=f"The {OFFERED} largest of {count(len(options), name)}; others by their exact name."
        if is_cut
        else None,
        accept_new_options=is_cut,
        **address.control(name, asked),
    )


@st.cache_resource
def _workspace() -> Workspace:
    return Workspace(load_settings())


def _reports_now(workspace: Workspace) -> Reports:
    source_id = workspace.source.source_id
    keys = tuple(period.key for period in workspace.store.periods(source_id))
    reports = _reports(keys, workspace.rules.cache_key, str(workspace.bill_notices), workspace)
    _last_reports()[source_id] = reports
    return reports


@st.cache_resource
def _last_reports() -> dict[str, Reports]:
    """What was shown of a bill last; of it the answers that were given stay known."""
    return {}


@st.cache_resource(max_entries=3, show_spinner="Reading the spend store…")
def _reports(
    versions: tuple[str, ...],
    fingerprint: str,
    bill_notices: str,
    _workspace: Workspace,
) -> Reports:
    """One Reports per state of the store, of the rules and of the bill, which come first."""
    return _workspace.reports()


def _bring_up_to_date(workspace: Workspace) -> Problem | None:
    """Reads what the source has newer, showing which month and how far; says if it can't."""
    for failed_at, problem in list(_failures().items()):
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
        _failures().clear()
        _failures()[time.monotonic()] = problem
        return problem
    return None


@st.cache_resource
def _failures() -> dict[float, Problem]:
    """Why the source could not be read the last time, and when that was, for all readers."""
    return {}


@st.cache_data(max_entries=8, show_spinner=False)
def _is_current(source_id: str, bucket: int, _workspace: Workspace) -> bool:
    """Asks the source at most once per bucket of time."""
    _workspace.write_demo_bill()
    return not _workspace.out_of_date()
