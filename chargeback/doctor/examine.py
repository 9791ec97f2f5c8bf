"""Whether everything is set up: each check with its state, what it means, and the exact fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from chargeback.access.look import OPEN, SECRETS, how_to_open, who_may_look
from chargeback.access.rows import EVERYTHING
from chargeback.access.secrets_file import read_sign_in
from chargeback.doctor import attribution, ledger, payer, tags
from chargeback.doctor.aws_account import examine_account
from chargeback.doctor.check import (
    EXPORTS_PAGE,
    REFRESH,
    Check,
    State,
    count,
    failed,
)
from chargeback.errors import Problem, SourceProblem, UsageProblem
from chargeback.formats import moment, month_name
from chargeback.reports.answers import Answers
from chargeback.reports.charges import payers
from chargeback.reports.coverage import deciding_sources, tags_seen
from chargeback.reports.period_status import notices_of
from chargeback.reports.view import View
from chargeback.sources.billing.answers import TRUE_FOR_CLOSED
from chargeback.workspace import Workspace

__all__ = ["Check", "State", "examine", "failed"]

LOOK = "Who may look"
FRESH = timedelta(hours=48)
"""AWS writes an export at least once a day (Data Exports User Guide, "Export delivery")."""
A_MOMENT = timedelta(minutes=1)
"""How old the news of an inactive tag may be: someone may have activated it just now, while a page
that is drawn again and again must not pay for each time."""

STATES: dict[str, State] = {"blocks-close": "problem", "warning": "warning", "info": "ok"}
"""What a notice is to whoever checks the set-up."""

Look = Callable[[Workspace, datetime], Iterator[Check]]


def examine(workspace: Workspace, now: datetime) -> Iterator[Check]:
    """Looks at everything, one thing after another; what fails does not stop the rest.

    Args:
        workspace: what is configured.
        now: the time in UTC.
    """
    bill: dict[str, Look] = {
        "Bill": _bill,
        "Spend store": _stored,
        "Attribution rules": _seen,
        ledger.NAME: ledger.examine_ledger,
    }
    yield from _each(bill, workspace, now, "problem")
    if workspace.settings.athena is not None:
        yield from examine_account(workspace)
    apis: dict[str, Look] = {
        payer.NAME: _payer,
        "Cost Explorer": _cost_explorer,
        "Invoices": _invoices,
        "Spent by this program": _spending,
    }
    yield from _each(apis, workspace, now, "unknown")
    yield _viewers(workspace)


def _viewers(workspace: Workspace) -> Check:
    """Who may look at pages on this machine; the server's log says it of the server."""
    sign_in = read_sign_in()
    look = who_may_look(sign_in, "localhost", workspace.settings.open_to_all)
    if look == "nobody":
        means, todo = "Pages show no figures to anyone.", f"{how_to_open(sign_in)}."
        return Check(LOOK, "problem", "nobody: sign-in can't be used", means, todo)
    if look == "all":
        means = "Anyone who reaches the server sees the whole bill; nobody can change figures."
        todo = f"Use it only behind a proxy that signs people in; else remove {OPEN} and set up "
        return Check(LOOK, "warning", "open to all", means, f"{todo}[auth] in {SECRETS}.")
    words = {"sign-in": "whoever signed in", "this machine": "this machine only, without sign-in"}
    return Check(LOOK, "ok", words[look])


def _each(
    looks: Mapping[str, Look], workspace: Workspace, now: datetime, otherwise: State
) -> Iterator[Check]:
    for name, look in looks.items():
        try:
            yield from look(workspace, now)
        except Problem as problem:
            yield failed(name, problem, otherwise)


def _bill(workspace: Workspace, now: datetime) -> Iterator[Check]:
    periods = workspace.source.periods()
    months = [period.billing_period for period in periods]
    yield Check("Bill", "ok", f"{count(months, 'billing period')}, {months[-1]} to {months[0]}")
    written = periods[0].data_as_of
    found = f"AWS wrote the newest period on {moment(written)}"
    if now - written <= FRESH:
        yield Check("Freshness", "ok", found)
        return
    yield Check(
        "Freshness",
        "warning",
        found,
        "The newest days are missing: an export is written at least once a day.",
        f"{EXPORTS_PAGE}: look at the export's status.",
        "aws bcm-data-exports list-exports --region us-east-1",
    )


def _stored(workspace: Workspace, _: datetime) -> Iterator[Check]:
    stored = workspace.store.periods(workspace.source.source_id)
    if not stored:
        yield Check(
            "Spend store",
            "warning",
            "nothing read yet",
            "There is nothing to show, and it is not known what the bill contains.",
            "Read the bill, or open a page: it reads the month that it shows.",
            REFRESH,
        )
        return
    lines = sum(period.manifest.lines_read for period in stored)
    yield Check("Spend store", "ok", f"{count(stored, 'billing period')}, {lines:,} Bedrock lines")
    missing = [each for each in stored[0].manifest.notices if each.code == "column-missing"]
    if not missing:
        yield Check("Columns", "ok", "every column that the figures need")
    for each in missing:
        yield Check(
            "Columns",
            "warning",
            f"no column {each.about['column']}",
            each.words,
            f"{EXPORTS_PAGE} > the export > Edit > Column selection.",
        )
    try:
        answers = workspace.answers()
    except UsageProblem:  # the check of the attribution rules says which and why
        return
    for month, problem in answers.problems.items():
        yield failed(f"Spend store, {month}", problem)
    yield from _notices(answers)


def _notices(answers: Answers) -> Iterator[Check]:
    """What is known to be odd about each month, what blocks its close first."""
    for each in answers.bill_notices:
        yield Check("Bill", "warning", each.code, each.words)
    for month in answers.months:
        for each in notices_of(answers, month):
            if each.code == "column-missing" or each in answers.bill_notices:
                continue
            state: State = STATES[each.severity]
            name = month_name(month)
            if state == "ok":
                yield Check(name, state, each.words)
            else:
                yield Check(name, state, each.code, each.words)


def _seen(workspace: Workspace, _: datetime) -> Iterator[Check]:
    answers = workspace.answers()
    if answers.months and (rows := tags_seen(answers, _all_months(answers)).to_pylist()):
        rules, month = workspace.settings.attribution, answers.months[0]
        yield from tags.check_tags_seen(rows, rules)
        yield from attribution.check_sources(month, _decided(answers, month), rules)


def _all_months(answers: Answers) -> View:
    return View.of_month(answers.months[0], EVERYTHING).since(answers.months[-1])


def _decided(answers: Answers, month: str) -> dict[str, attribution.Rows]:
    """What decided whose the month is, by currency."""
    currencies = [total.currency for total in answers.manifest(month).totals]
    return {
        currency: deciding_sources(answers, View(month, currency, EVERYTHING)).to_dict("records")
        for currency in currencies
    }


def _payer(workspace: Workspace, _: datetime) -> Iterator[Check]:
    payers = _payers(workspace.answers())
    try:
        caller: str | SourceProblem = workspace.cost_explorer.account()
    except SourceProblem as problem:
        caller = problem
    yield payer.check_payer(caller, payers)


def _cost_explorer(workspace: Workspace, _: datetime) -> Iterator[Check]:
    explorer, rules = workspace.cost_explorer, workspace.settings.attribution
    listed = explorer.cost_allocation_tags(TRUE_FOR_CLOSED)
    if any(check.state != "ok" for check in tags.check_activation(listed, rules)):
        listed = explorer.cost_allocation_tags(A_MOMENT)
    if listed.problem:
        yield failed("Cost Explorer", listed.problem, "unknown")
    else:
        found = f"answers; cost allocation tags as of {moment(listed.asked_at)}"
        yield Check("Cost Explorer", "ok", found)
    yield from tags.check_activation(listed, rules)


def _invoices(workspace: Workspace, now: datetime) -> Iterator[Check]:
    payers = _payers(workspace.answers())
    if not payers:
        yield Check(
            "Invoices",
            "unknown",
            "no payer account known",
            "Invoices are listed for the account that pays the bill.",
            "Read the bill.",
            REFRESH,
        )
        return
    last = now.date().replace(day=1) - timedelta(days=1)
    listed = workspace.invoices.of_month(f"{last:%Y-%m}", payers)
    if listed.problem:
        yield failed("Invoices", listed.problem, "unknown")
    elif listed.invoices:
        yield Check("Invoices", "ok", f"{count(listed.invoices, 'invoice')} for {last:%B %Y}")
    else:
        yield Check(
            "Invoices",
            "unknown",
            f"none for {last:%B %Y}",
            "The bill can't be compared with them yet. AWS issues invoices from the third business "
            "day of the next month on, and shows them only to the account that pays.",
            f"In that account: Billing and Cost Management > Bills > {last:%B %Y} > Invoices.",
            "aws invoicing list-invoice-summaries --region us-east-1 --selector "
            f"ResourceType=ACCOUNT_ID,Value={payers[0]}",
        )


def _payers(answers: Answers) -> list[str]:
    """The accounts that pay the newest month's bill."""
    return sorted(
        {
            payer
            for month in answers.months[:1]
            for total in answers.manifest(month).totals
            for payer in payers(answers, View(month, total.currency, EVERYTHING))
        }
    )


def _spending(workspace: Workspace, now: datetime) -> Iterator[Check]:
    """What this program, on this machine, has cost in the month."""
    athena = workspace.athena_costs.of(f"{now:%Y-%m}")
    explorer = workspace.cost_explorer
    requests = count(range(explorer.requests_this_month), "request")
    free = " (demo: nothing is charged)" if workspace.settings.is_demo else ""
    yield Check(
        "Spent by this program this month",
        "ok",
        f"Athena ${athena.dollars:,.4f} for {athena.queries:,} "
        f"{'query' if athena.queries == 1 else 'queries'}, "
        f"{athena.bytes_scanned / 1024**3:,.2f} GB scanned; "
        f"Cost Explorer ${explorer.spent_this_month:,.2f} for {requests}{free}",
    )
