"""The parts of the Reconciliation page: totals, the way from one to another, and what to say."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from chargeback.billing_period import today
from chargeback.formats import ABSENT, moment, money, signed_money
from chargeback.reconciliation.causes import Comparison
from chargeback.reconciliation.compare import Reconciliation
from chargeback.sources.billing.cost_explorer import CostExplorer
from chargeback.ui import metrics, problems, tables
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import Figure
from chargeback.ui.tables import Column

NOT_INVOICED = "not invoiced yet"
SERVICE_COLUMNS = [
    *("service", "record_type", "cur", "cost_explorer", "difference", "unexplained", "cause")
]
INVOICE_COLUMNS = ["invoice_id", "billing_entity", "cur", "total", "rest", "issued"]
"""Named here too, for a month without any line has no rows to name them."""


QUESTIONS = (
    (
        "Why do these numbers differ?",
        "They are three views of one bill. The bill here, CUR 2.0, is every line of Bedrock, with "
        "its tax, credits and discounts. Cost Explorer adds the same lines up by service, brings "
        "itself up to date at other hours, and keeps tax apart. An invoice is what is owed to one "
        "seller for all services, in cents. Until AWS has issued the invoices, the first two "
        "change several times a day.",
    ),
    (
        "Why does Cost Explorer show less when I choose “Amazon Bedrock”?",
        "Models of Anthropic, OpenAI and others are services of their own there, with names such "
        "as “Claude Sonnet 5.5 (Amazon Bedrock Edition)”. Here every service with Bedrock in its "
        "name counts.",
    ),
    (
        "Why does an estimate from token counts never match?",
        "An application can count the tokens of its own calls; the bill also has cache writes and "
        "reads, long-context, batch and priority prices, meters that are no tokens (guardrails, "
        "agents, provisioned throughput), calls that failed or were retried, prices that changed "
        "within the month, discounts, credits, fees and tax. Estimates are good for watching a "
        "trend, not for charging anybody.",
    ),
)
"""What readers ask of figures that differ, and the answers."""


def show_figures(found: Reconciliation) -> None:
    """The three totals, and what no cause explains."""
    currency = found.currency
    cards = [Figure("Bill (CUR 2.0)", money(found.cur, currency))]
    for comparison in found.comparisons:
        amount, difference = money(comparison.amount, currency), comparison.difference
        compared = f"{signed_money(difference, currency)} against the bill"
        cards.append(Figure(comparison.other, amount, compared=compared))
    metrics.draw(cards)
    if not found.comparisons:
        return
    if found.unexplained == 0:
        said = f"Every difference is explained: {money(found.unexplained, currency)} is left."
        st.success(plain(said), icon=":material/check_circle:")
    else:
        said = f"{money(found.unexplained, currency)} is not explained: see the last rows below."
        st.error(plain(said), icon=":material/error:")
    for cause in found.to_look_at:
        amount = signed_money(cause.amount, currency)
        st.warning(plain(f"{cause.name}, {amount}: {cause.sentence}"), icon=":material/search:")


def show_bridge(comparison: Comparison, currency: str, month: str) -> None:
    """The way from the bill to another source's total, a cause at a time."""
    steps = [
        ("Bill (CUR 2.0)", comparison.cur, ""),
        *((cause.name.value, cause.amount, cause.sentence) for cause in comparison.causes),
        ("Unexplained", comparison.unexplained, ""),
        (f"= {comparison.other}", comparison.amount, ""),
    ]
    frame = pd.DataFrame(steps, columns=["step", "amount", "meaning"])
    name = comparison.other.lower().replace(" ", "-")
    metrics.heading(f"From the bill to {comparison.other}", frame, f"{name}-{month}.csv")
    table, words = st.columns(2, gap="medium")
    with table:
        tables.plain_table(
            frame,
            columns={"step": Column("Step"), "amount": Column("Amount", "money")},
            currency=currency,
            key=f"bridge {name}",
            what=f"From the bill to {comparison.other}",
        )
        st.caption("Each amount is rounded to the cent by itself; the CSV holds every digit.")
    for cause in comparison.causes:
        words.caption(f"**{plain(cause.name)}.** {plain(cause.sentence)}")


def show_forecast(explorer: CostExplorer) -> None:
    """What AWS expects the open month to come to."""
    with problems.shown_problems():
        expected = explorer.forecast(today())
        total, lower, upper = (
            money(expected.spent + amount, expected.currency)
            for amount in (expected.expected, expected.lower, expected.upper)
        )
        st.caption(
            plain(
                f"Cost Explorer expects {total} for the whole month, tax left out; in four of five "
                f"cases it is between {lower} and {upper}."
            )
        )


def show_services(found: Reconciliation) -> None:
    """The bill against Cost Explorer by service and record type."""
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
    metrics.heading("By service and record type", frame, f"reconciliation-{found.month}.csv")
    tables.plain_table(
        frame,
        columns={
            "service": Column("Service", pinned=True),
            "record_type": Column("Record type"),
            "cur": Column("Bill", "money"),
            "cost_explorer": Column("Cost Explorer", "money"),
            "difference": Column("Difference", "money"),
            "unexplained": Column("Unexplained", "money"),
            "cause": Column("Cause"),
        },
        currency=found.currency,
        key="services",
        what="Bill and Cost Explorer by service and record type",
    )


def show_invoices(found: Reconciliation) -> None:
    """Each invoice with the part of it that is Bedrock's."""
    rows = [
        {
            "invoice_id": row.invoice_id or NOT_INVOICED,
            "billing_entity": row.billing_entity,
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
            "cur": Column("Bedrock lines of the bill", "money"),
            "total": Column("Invoice, all services", "money"),
            "rest": Column("Rest of the invoice", "money"),
        },
        currency=found.currency,
        key="invoices",
        what="Invoices",
    )


def asked(found: Reconciliation, requests: int, spent: Decimal, is_demo: bool) -> str:
    """When the sources were asked, and what that has cost."""
    times = {"Cost Explorer": found.cost_explorer_as_of, "invoices": found.invoices_as_of}
    when = " · ".join(f"{name} asked {moment(at)}" for name, at in times.items() if at)
    cost = f"{requests:,} Cost Explorer requests this month, {money(spent, 'USD')}"
    if is_demo:
        cost += "; in demo mode the demo bill answers them and nothing is charged"
    return " · ".join(part for part in (when, cost) if part) + "."
