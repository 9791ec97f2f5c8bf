"""The parts of the Reconciliation page: the bill on its invoices, and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from chargeback.billing_period import today
from chargeback.errors import Problem, SourceProblem
from chargeback.formats import ABSENT, count, moment, money, percent, signed_money
from chargeback.money import ZERO, cents, in_cents, share_of
from chargeback.reconciliation.causes import SENTENCES, Cause, CauseName, Comparison
from chargeback.reconciliation.compare import Reconciliation
from chargeback.reconciliation.invoices import AWS, NOT_INVOICED
from chargeback.sources.billing.cost_explorer import MARKETPLACE, CostExplorer
from chargeback.ui import metrics, problems, tables
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import Figure
from chargeback.ui.table import Column

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SERVICE_COLUMNS = [
    *("service", "record_type", "cur", "cost_explorer", "difference", "unexplained", "cause")
]
INVOICE_COLUMNS = ["invoice_id", "billing_entity", "cur", "total", "rest", "issued"]
"""Named here too, for a month without any line has no rows to name them."""


BEDROCK, UNEXPLAINED = "Bedrock, part of the bill", "Unexplained"
PARTS = {
    AWS: "AWS invoices",
    MARKETPLACE: "Marketplace invoices",
    NOT_INVOICED: "Not invoiced yet",
}
"""The parts of the bill, by seller."""
IN_CENTS = (
    "The steps above are rounded so that they add up to the cent; the CSV files hold every digit."
)

QUESTIONS = (
    (
        "Why do these numbers differ?",
        "They are three views of one bill. The bill shown here, AWS’s Cost and Usage Report (CUR "
        "2.0), has every Bedrock charge with its tax, credits and discounts. Cost Explorer adds up "
        "the same charges by service, is updated at other times, and shows tax separately. An "
        "invoice is what you owe one seller for all services, in cents. Until AWS issues the "
        "invoices, the first two change several times a day.",
    ),
    (
        "Why does Cost Explorer show less when I choose “Amazon Bedrock”?",
        "Cost Explorer lists models from Anthropic, OpenAI and others as separate services, with "
        "names such as “Claude Sonnet 5.5 (Amazon Bedrock Edition)”. Here, every service with "
        "Bedrock in its name counts.",
    ),
    (
        "Why does an estimate from token counts never match?",
        "An application can count the tokens of its own calls. The bill also includes cache writes "
        "and reads, long-context, batch and priority prices, charges that are not for tokens "
        "(guardrails, agents, provisioned throughput), failed and repeated calls, price changes "
        "within the month, discounts, credits, fees and tax. Estimates are good for watching a "
        "trend, but not for charging anyone.",
    ),
)
"""What readers ask of figures that differ, and the answers."""


def show_verdict(found: Reconciliation) -> None:
    """Whether the bill agrees with what it is compared with; only the unexplained alarms."""
    if not found.comparisons:
        st.info("There is nothing to compare the bill with at present.", icon=":material/info:")
        return
    left = money(found.unexplained, found.currency)
    if found.unexplained == 0:
        *others, last = (comparison.other for comparison in found.comparisons)
        named = f"{', '.join(others)} and {last}" if others else last
        said = f"The bill agrees with {named}: {left} is unexplained."
        st.success(plain(said), icon=":material/check_circle:")
    else:
        said = f"{left} is unexplained: see “Unexplained” in the tables below."
        st.error(plain(said), icon=":material/error:")
    for cause in found.to_look_at:
        amount = signed_money(cause.amount, found.currency)
        st.warning(plain(f"{cause.name}, {amount}: {cause.sentence}"), icon=":material/search:")


def show_bill(found: Reconciliation) -> None:
    """The bill as the sum of what is on each seller's invoices and what is on none yet."""
    amounts = part_in_cents(found)
    bill = money(found.cur, found.currency)
    cards = [Figure("The bill", bill, compared="Bedrock, with tax")]
    for part in found.parts:
        share = percent(share_of(part.amount, found.cur))
        label, value = PARTS[part.seller], money(amounts[part.seller], found.currency)
        sign = "=" if len(cards) == 1 else "+"
        cards.append(Figure(f"{sign} {label}", value, compared=f"{share} of the bill"))
    metrics.draw(cards)


def part_in_cents(found: Reconciliation) -> dict[str, Decimal]:
    """The parts of the bill by seller, in cents that add up to the bill in cents."""
    rounded = in_cents([part.amount for part in found.parts], cents(found.cur))
    return dict(zip((part.seller for part in found.parts), rounded, strict=True))


def steps_in_cents(first: Decimal, steps: Sequence[Decimal], last: Decimal) -> list[Decimal]:
    """A way from one amount in cents to another, its exact steps in cents that add up."""
    return [first, *in_cents(steps, last - first), last]


def show_invoice_totals(found: Reconciliation) -> None:
    """What the invoices come to, and what beside the bill's Bedrock charges is on them."""
    if not found.invoices:
        return
    causes = [cause for each in found.invoices for cause in each.causes]
    names = sorted({cause.name for cause in causes}, key=list(CauseName).index)
    title = "What else is on these invoices"
    exact = {each.other: _column(each, names) for each in found.invoices}
    parts = {f"{seller} invoices": amount for seller, amount in part_in_cents(found).items()}
    shown = {
        other: steps_in_cents(parts[other], steps, cents(last))
        for other, (_, *steps, last) in exact.items()
    }
    labels = {"charges": [BEDROCK, *names, UNEXPLAINED, "Invoice total"]}
    file = pd.DataFrame({**labels, **exact})
    metrics.heading(title, file, f"invoice-totals-{found.month}.csv")
    table, words = st.columns(2, gap="medium")
    with table:
        tables.plain_table(
            pd.DataFrame({**labels, **shown}),
            columns={"charges": Column("Charges")}
            | {other: Column(other, "money") for other in exact},
            currency=found.currency,
            key="invoice totals",
            what=title,
        )
    _explain(words, causes)


def _column(compared: Comparison, names: Iterable[CauseName]) -> list[Decimal]:
    """From a seller's part of the bill to its invoices, exact."""
    amounts = {cause.name: cause.amount for cause in compared.causes}
    causes = (amounts.get(name, ZERO) for name in names)
    return [compared.cur, *causes, compared.unexplained, compared.amount]


def _explain(place: DeltaGenerator, causes: Iterable[Cause]) -> None:
    """Each cause in a sentence, once."""
    said: dict[CauseName, list[str]] = {}
    for cause in causes:
        details = said.setdefault(cause.name, [SENTENCES[cause.name]])
        if cause.detail and cause.detail not in details:
            details.append(cause.detail)
    for name, sentences in said.items():
        place.caption(f"**{plain(name)}.** {plain(' '.join(sentences))}")


def show_cost_explorer(found: Reconciliation) -> None:
    """The way from the bill to Cost Explorer's total, a cause at a time."""
    compared = found.cost_explorer
    if compared is None:
        return
    names = [cause.name for cause in compared.causes]
    exact = _column(compared, names)
    first, *steps, last = exact
    shown = steps_in_cents(cents(first), steps, cents(last))
    labels = ["The bill", *names, UNEXPLAINED, compared.other]
    title = f"Compared with {compared.other}"
    file = pd.DataFrame({"step": labels, "amount": exact})
    metrics.heading(title, file, f"cost-explorer-{found.month}.csv")
    table, words = st.columns(2, gap="medium")
    with table:
        tables.plain_table(
            pd.DataFrame({"step": labels, "amount": shown}),
            columns={"step": Column("Step"), "amount": Column("Amount", "money")},
            currency=found.currency,
            key="cost explorer",
            what=title,
        )
    _explain(words, compared.causes)


def show_forecast(explorer: CostExplorer, said: Iterable[Problem]) -> None:
    """What AWS expects the open month to come to; why it can't tell, unless that was `said`."""
    try:
        expected = explorer.forecast(today())
    except SourceProblem as problem:
        if problem.what not in {each.what for each in said}:
            problems.show_problem(problem, stale=True)
        return
    total, lower, upper = (
        money(expected.spent + amount, expected.currency)
        for amount in (expected.expected, expected.lower, expected.upper)
    )
    st.caption(
        plain(
            f"Cost Explorer’s forecast for the whole month is {total} before tax; there is an "
            f"80 % chance that it will be between {lower} and {upper}."
        )
    )


def show_services(found: Reconciliation) -> None:
    """The bill against Cost Explorer by service and charge type."""
    rows = [
        {
            "service": row.service,
            "record_type": row.record_type,
            "cur": row.cur,
            "cost_explorer": row.cost_explorer,
            "difference": row.difference,
            "unexplained": row.unexplained,
            "cause": ", ".join(cause.name for cause in row.causes) or ABSENT,
        }
        for row in found.services
    ]
    frame = pd.DataFrame(rows, columns=SERVICE_COLUMNS)
    metrics.heading("By service and charge type", frame, f"reconciliation-{found.month}.csv")
    tables.plain_table(
        frame,
        columns={
            "service": Column("Service", pinned=True),
            "record_type": Column("Charge type"),
            "cur": Column("Bill", "money"),
            "cost_explorer": Column("Cost Explorer", "money"),
            "difference": Column("Difference", "money", zero_is_absent=True),
            "unexplained": Column("Unexplained", "money", zero_is_absent=True),
            "cause": Column("Cause"),
        },
        currency=found.currency,
        key="services",
        what="Bill and Cost Explorer by service and charge type",
    )


def show_invoices(found: Reconciliation) -> None:
    """Each invoice with the part of it that is Bedrock's."""
    rows = [
        {
            "invoice_id": row.invoice_id or PARTS[NOT_INVOICED],
            "billing_entity": row.seller,
            "cur": row.cur,
            "total": row.total,
            "rest": row.difference,
            "issued": row.invoice.issued_on if row.invoice else None,
        }
        for row in found.invoice_rows
    ]
    frame = pd.DataFrame(rows, columns=INVOICE_COLUMNS)
    metrics.heading("By invoice", frame, f"invoices-{found.month}.csv")
    tables.plain_table(
        frame,
        columns={
            "invoice_id": Column("Invoice", pinned=True),
            "billing_entity": Column("Sold by"),
            "issued": Column("Issued", "day"),
            "cur": Column("Bedrock, part of the bill", "money"),
            "total": Column("Invoice, all services", "money"),
            "rest": Column("Other services and tax", "money"),
        },
        currency=found.currency,
        key="invoices",
        what="Invoices",
    )


def sources_asked(found: Reconciliation, requests: int, spent: Decimal, is_demo: bool) -> str:
    """When the sources were asked, and what that has cost."""
    asked: dict[str, list[str]] = {}
    for name, at in (
        ("Cost Explorer", found.cost_explorer_as_of),
        ("Invoices", found.invoices_as_of),
    ):
        if at:
            asked.setdefault(moment(at), []).append(name)
    when = [f"{' and '.join(names)} as of {at}" for at, names in asked.items()]
    cost = f"{count(requests, 'Cost Explorer request')} this month, {money(spent, 'USD')}"
    if is_demo:
        cost += "; in demo mode nothing is charged"
    return " · ".join([*when, cost]) + "."
