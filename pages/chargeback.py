"""Chargeback: the month's statement as it is exported, its check, and its files."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import streamlit as st

from chargeback.attribution.principal import read_principal
from chargeback.billing_period import today
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.statement.build import MONEY, Statement, build_statement
from chargeback.statement.export import file_names
from chargeback.ui import address, header, page_context, problems
from chargeback.ui.downloads import export_file, workbook_file
from chargeback.ui.formats import money, plain
from chargeback.ui.metrics import go_to
from chargeback.ui.tables import Column, plain_table

LABELS = {name: dimension.label for name, dimension in CHARGED.items()}
HEADINGS = {
    "usage_cost": "Usage",
    "discount_amount": "Discounts",
    "credit_amount": "Credits",
    "refund_amount": "Refunds",
    "tax_amount": "Tax",
    "other_amount": "Other",
    "shared_cost": "Shared",
    "total_charge": "Total charge",
}


def draw_statement(statement: Statement, currency: str) -> None:
    """The statement in one currency, with the check that it ties."""
    totals = statement.totals(currency)
    difference = statement.difference(currency)
    total = money(sum(totals, Decimal()), currency)
    bill = money(statement.bill[currency], currency)
    if difference == 0:
        st.success(
            plain(
                f"{total} charged, {bill} on the bill, difference {money(difference, currency)}."
            ),
            icon=":material/check_circle:",
        )
    else:
        st.error(plain(f"{total} charged, {bill} on the bill: do not use this statement."))
    by, charges = statement.bill_to_type, statement.frame(currency)
    names = charges["bill_to"].map(named(by, currency))
    row = plain_table(
        charges.assign(name=names),
        columns={
            "name": Column(LABELS[by], pinned=True),
            **{name: Column(HEADINGS[name], "money") for name in ("total_charge", *MONEY)},
            "cost_center": Column("Cost center"),
            **({"bill_to": Column("As billed")} if by in ("principal", "account") else {}),
        },
        currency=currency,
        key=f"statement-{by}-{currency}",
        select=True,
        what="Statement",
    )
    if row is not None:
        go_to(CHARGED[by].detail_page, CHARGED[by].name, charges["bill_to"].iloc[row])
    sums = " · ".join(
        f"{HEADINGS[name]} {money(amount, currency)}"
        for name, amount in zip(MONEY, totals, strict=True)
    )
    st.markdown(plain(f"Total {total}") + "  \n" + f":gray[{plain(sums)}]")


def caller_name(iam_principal: str) -> str:
    """Who called, and as which role: 'acme-corp (llm-gateway)'."""
    who = read_principal(iam_principal)
    if iam_principal == UNALLOCATED or who.role in ("", who.name):
        return who.name
    return f"{who.name} ({who.role})"


def named(by: str, currency: str) -> Callable[[str], str]:
    """How people call a unit: the file has an account's digits, and of a principal its ARN."""
    if by == "principal":
        return caller_name
    if by == "account":
        whole = View(context.view.month, currency, context.view.rows)
        accounts = filter_options(context.answers, whole)["account"]
        return lambda unit: accounts.get(unit, unit)
    return str


context = page_context.current()
header.draw(context, "Chargeback")
by = address.choice("charge_to", list(CHARGED), LABELS)
st.segmented_control(
    "Charge to",
    list(CHARGED),
    format_func=LABELS.__getitem__,
    default=by,
    required=True,
    **address.control("charge_to", by),
)
if context.view.where:
    st.caption("A statement is always the whole month: the filters do not apply here.")

with problems.shown_problems():
    view = View.of_month(context.view.month, context.view.rows)
    statement = build_statement(context.answers, view, by, today())
    if not statement.bill:
        st.info("No line of Bedrock is on this month's bill: nothing is charged.")
    for currency in statement.bill:
        draw_statement(statement, currency)

    st.subheader("Files", anchor=False)
    if not context.is_invoiced:
        st.caption("The month is provisional: AWS may still change it, and then the files change.")
    names = file_names(view.month, by)
    with st.container(horizontal=True):
        for label, name in zip(("Statement", "Detail", "Manifest"), names, strict=True):
            st.download_button(
                f"{label} ({name.rpartition('.')[2].upper()})",
                partial(export_file, context.answers, view, by, name),
                file_name=name,
                key=f"download-{label.lower()}",
                on_click="ignore",
                icon=":material/download:",
                type="primary" if label == "Statement" else "secondary",
            )
        st.download_button(
            "Workbook (XLSX)",
            partial(workbook_file, context.answers, view, by),
            file_name=f"chargeback-{by}-{view.month}.xlsx",
            key="download-workbook",
            on_click="ignore",
            icon=":material/download:",
        )
    st.caption(
        "Money is rounded once, here: every cell, row and column is within one cent of its exact "
        "value, and all add up. So an amount may differ by a cent from another page, or from the "
        "statement of another unit. The detail holds the exact amounts."
    )
