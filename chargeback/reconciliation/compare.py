"""A month of the bill against Cost Explorer and against the invoices, each difference with causes.

Cost Explorer is asked by seller, which an invoice is compared by: two requests a month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from chargeback import billing_period
from chargeback.billing_period import first_of_next
from chargeback.errors import Problem, SourceProblem, distinct
from chargeback.money import ZERO
from chargeback.reconciliation.causes import (
    CENT_ROUNDING,
    TAX,
    Cause,
    CauseName,
    Comparison,
    ServiceCharge,
    ServiceRow,
    bedrock_of,
    compare_totals,
    service_rows,
)
from chargeback.reconciliation.invoices import (
    AWS,
    BilledCharge,
    BillPart,
    InvoiceRow,
    against_invoices,
    invoice_rows,
    parts,
    sum_of,
    tax_of,
)
from chargeback.reports.answers import Answers
from chargeback.reports.charges import bill_by_product, billed_elsewhere
from chargeback.reports.period_status import INVOICED, status_of
from chargeback.reports.view import View
from chargeback.sources.billing.cost_explorer import MARKETPLACE, CostExplorer, Costs, Granularity
from chargeback.sources.billing.invoices import Invoice, InvoiceList, Invoices

STILL_FILLING = timedelta(days=1)
"""AWS brings usage to the bill and to Cost Explorer up to a day late (Cost Management User Guide,
"Analyzing your costs with Cost Explorer": refreshed at least once every 24 hours)."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One month in three sources. Amounts in `currency`, exact."""

    month: str
    currency: str
    basis: str
    """'unblended' or 'net': what the bill is the sum of, and the metric asked of Cost Explorer."""
    is_invoiced: bool
    """Whether the month is over and invoiced; before that sources may differ from hour to hour."""
    cur: Decimal
    parts: tuple[BillPart, ...]
    """The bill by who invoices it; they add up to `cur`."""
    cur_as_of: datetime
    cost_explorer: Comparison | None
    """None where Cost Explorer does not answer."""
    cost_explorer_as_of: datetime | None
    services: tuple[ServiceRow, ...]
    """The bill against Cost Explorer by service and record type; empty without it."""
    tax_in_cost_explorer: Decimal | None
    """What Cost Explorer counts as Tax on all services."""
    invoices: tuple[Comparison, ...]
    """The parts of the bill against the invoices of their sellers, those that are issued."""
    invoices_as_of: datetime | None
    invoice_rows: tuple[InvoiceRow, ...]
    problems: tuple[Problem, ...]
    """Why a source is missing or old."""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All of them, Cost Explorer's first."""
        return (*((self.cost_explorer,) if self.cost_explorer else ()), *self.invoices)

    @property
    def unexplained(self) -> Decimal:
        """What is left unexplained, in all comparisons, whatever its sign."""
        return sum((abs(comparison.unexplained) for comparison in self.comparisons), ZERO)

    @property
    def to_look_at(self) -> tuple[Cause, ...]:
        """The causes that are only suspected, each once: as the first comparison has it."""
        known: dict[CauseName, Cause] = {}
        for cause in (cause for comparison in self.comparisons for cause in comparison.causes):
            known.setdefault(cause.name, cause)
        return tuple(cause for cause in known.values() if not cause.is_settled)


@dataclass(frozen=True, slots=True)
class _CostExplorerMonth:
    """What Cost Explorer counts in a month, all services; `since` is the first day in doubt."""

    aws: tuple[ServiceCharge, ...]
    marketplace: tuple[ServiceCharge, ...]
    since: date | None
    asked_at: datetime
    problem: SourceProblem | None

    @property
    def charges(self) -> tuple[ServiceCharge, ...]:
        return self.aws + self.marketplace


Reply = TypeVar("Reply", _CostExplorerMonth, InvoiceList)


def reconcile(
    answers: Answers,
    cost_explorer: CostExplorer,
    invoices: Invoices,
    view: View,
    today: date,
) -> Reconciliation:
    """A month in all three sources; one that does not answer is among the result's problems.

    Args:
        answers: the bill.
        cost_explorer: asked twice, unless the answers are kept.
        invoices: asked once for each payer account, unless the answers are kept.
        view: a month in a currency; what the others say in another one is left out.
        today: the date in UTC.

    Raises:
        UsageProblem: the store does not hold the month.
    """
    month, currency = view.month, view.currency
    manifest = answers.manifest(month)
    basis = answers.bill(month).metric_in(currency)
    is_invoiced = status_of(answers, month, today) == INVOICED
    newest = None if is_invoiced else manifest.newest_usage_date
    problems: list[Problem] = []
    counted = _ask(
        problems, lambda: _cost_explorer_month(cost_explorer, month, currency, basis, newest)
    )
    billed = _bill_rows(answers, view, counted.since if counted else None)
    listed = _ask(problems, lambda: _listed(invoices, month, currency, billed))
    rows = _against_cost_explorer(billed, counted) if counted else ()
    issued = listed.invoices if listed else ()
    is_over = billing_period.is_over(month, today)
    sides = _against_invoices(billed, counted, issued, currency) if counted and is_over else ()
    return Reconciliation(
        month=month,
        currency=currency,
        basis=basis,
        is_invoiced=is_invoiced,
        cur=sum_of(row.charge for row in billed),
        parts=parts(billed),
        cur_as_of=manifest.data_as_of,
        cost_explorer=compare_totals(cost_explorer.name, rows) if counted else None,
        cost_explorer_as_of=counted.asked_at if counted else None,
        services=rows,
        tax_in_cost_explorer=tax_of(counted.charges) if counted else None,
        invoices=tuple(sides),
        invoices_as_of=listed.asked_at if listed else None,
        invoice_rows=tuple(invoice_rows(billed, issued)),
        problems=distinct(problems),
    )


def _ask(problems: list[Problem], ask: Callable[[], Reply]) -> Reply | None:
    """What a source answers, or None; notes why it is missing or old."""
    try:
        answer = ask()
    except SourceProblem as problem:
        problems.append(problem)
        return None
    if answer.problem:
        problems.append(answer.problem)
    return answer


def _bill_rows(answers: Answers, view: View, since: date | None) -> list[BilledCharge]:
    rows = bill_by_product(answers, view, since).to_pylist()
    rows += [_NOTHING | row for row in billed_elsewhere(answers, view).to_pylist()]
    # A product's tax, credits and refunds carry its code, but no name.
    names = {row["product_code"]: row["product_name"] for row in rows if row["product_name"]}
    return [
        BilledCharge(
            ServiceCharge(
                service=row["product_name"] or names.get(row["product_code"], row["product_code"]),
                record_type=row["line_item_type"],
                amount=row["cost"],
                recent=row["recent_cost"],
                dated_elsewhere=row["dated_elsewhere"],
                billed_elsewhere=row.get("billed_elsewhere", ZERO),
                lines=row["line_count"],
            ),
            seller=MARKETPLACE if row["billing_entity"] == MARKETPLACE else AWS,
            invoice_id=row["invoice_id"],
            payer_account_id=row["payer_account_id"],
        )
        for row in rows
    ]


_NOTHING = {
    "invoice_id": "",
    "cost": ZERO,
    "recent_cost": ZERO,
    "dated_elsewhere": ZERO,
    "line_count": 0,
}
"""Of what is billed in another month this one has."""


def _cost_explorer_month(
    cost_explorer: CostExplorer, month: str, currency: str, basis: str, newest: date | None
) -> _CostExplorerMonth:
    """Both halves of Cost Explorer's month; day by day where the bill's newest day is given."""
    first = date.fromisoformat(f"{month}-01")
    grain: Granularity = "MONTHLY" if newest is None else "DAILY"
    aws, marketplace = cost_explorer.by_seller(first, first_of_next(first), grain)
    rows = [row for row in (*aws.rows, *marketplace.rows) if row.currency == currency]
    if not rows:
        raise SourceProblem(
            f"Cost Explorer has nothing in {currency} for this month.",
            "There is nothing to compare the bill with.",
            "Check that the credentials belong to the account that pays this bill.",
        )
    since = newest and min(newest, max(row.start for row in rows)) - STILL_FILLING
    return _CostExplorerMonth(
        tuple(_charges(aws, currency, basis, since)),
        tuple(_charges(marketplace, currency, basis, since)),
        since,
        min(aws.asked_at, marketplace.asked_at),
        aws.problem or marketplace.problem,
    )


def _charges(
    costs: Costs, currency: str, basis: str, since: date | None
) -> Iterator[ServiceCharge]:
    for row in costs.rows:
        if row.currency == currency:
            service, record_type = row.keys
            amount = row.amount(basis)
            recent = amount if since and row.start >= since else ZERO
            yield ServiceCharge(service, record_type, amount, recent)


def _listed(
    invoices: Invoices, month: str, currency: str, billed: Sequence[BilledCharge]
) -> InvoiceList:
    payers = sorted({row.payer_account_id for row in billed if row.payer_account_id})
    listed = invoices.of_month(month, payers)
    kept = tuple(invoice for invoice in listed.invoices if invoice.currency == currency)
    return replace(listed, invoices=kept)


def _against_cost_explorer(
    billed: Sequence[BilledCharge], counted: _CostExplorerMonth
) -> tuple[ServiceRow, ...]:
    charges = [row.charge for row in billed]
    tax = sum_of(charge for charge in charges if charge.record_type == TAX)
    return service_rows(
        charges,
        bedrock_of(counted.charges, charges),
        # Until a month is invoiced, tax comes and goes.
        tax_is_counted=counted.since is not None or tax_of(counted.charges) >= tax - CENT_ROUNDING,
    )


def _against_invoices(
    billed: Sequence[BilledCharge],
    counted: _CostExplorerMonth,
    issued: Sequence[Invoice],
    currency: str,
) -> Iterator[Comparison]:
    for seller, charges in ((AWS, counted.aws), (MARKETPLACE, counted.marketplace)):
        if compared := against_invoices(seller, billed, charges, issued, currency):
            yield compared
