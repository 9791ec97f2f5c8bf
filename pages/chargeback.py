"""Chargeback: the month's statement as it is exported, its check, and its files."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import streamlit as st

from chargeback.attribution.principal import read_principal
from chargeback.billing_period import today
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.formats import ABSENT, money
from chargeback.money import exact_sum
from chargeback.reports.frames import sums
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.statement.build import MONEY, Statement, build_statement
from chargeback.statement.explain import direct_total, read_rules
from chargeback.statement.export import allocation_name, file_names
from chargeback.statement.frame import frame_of_charges, largest_first
from chargeback.ui import address, allocation, header, page_context, problems
from chargeback.ui.downloads import export_file, workbook_file
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import go_to
from chargeback.ui.tables import Column, plain_table, position_of

LABELS = {name: dimension.label for name, dimension in CHARGED.items()}
BILLED_AS = {"principal": "IAM principal", "account": "Account ID"}
"""Heads what stands on the bill, of units that people call by another name."""
UNIT = "unit"
"""In the address: the unit whose charge is opened."""


def draw_statement(statement: Statement, currency: str) -> None:
    """The statement in one currency, with the check that it ties."""
    _banner(statement, currency)
    by, charges = statement.bill_to_type, largest_first(frame_of_charges(statement, currency))
    call, totals = named(by, currency), statement.totals(currency)
    amounts = dict(zip(MONEY, totals, strict=True))
    shown = charges.assign(
        name=charges["bill_to"].map(call),
        direct=charges["bill_to"].map(partial(direct_total, statement, currency)),
        cost_center=charges["cost_center"].replace("", ABSENT),
    )
    used = [name for name in MONEY if (charges[name] != 0).any()]
    has_cost_center = by != "cost_center" and (charges["cost_center"] != "").any()
    row = plain_table(
        shown,
        columns={
            **allocation.statement_columns(statement, LABELS[by], used),
            **({"cost_center": Column("Cost center")} if has_cost_center else {}),
            **({"bill_to": Column(BILLED_AS[by])} if by in BILLED_AS else {}),
        },
        currency=currency,
        key=f"statement-{by}-{currency}",
        select=True,
        what="Statement",
        total=amounts | {"total_charge": exact_sum(totals), **sums(shown, "direct")},
        current=position_of(address.value(UNIT), charges["bill_to"]),
    )
    if row is not None:
        _open(statement, charges["bill_to"].iloc[row])
    if not statement.settings.is_set:
        return
    unit = address.value(UNIT)
    if unit in set(charges["bill_to"]):
        allocation.draw_unit(statement, currency, unit, call)
        if st.button("What was billed", key=f"billed-{currency}", icon=":material/arrow_forward:"):
            go_to(CHARGED[by], unit)
    allocation.draw_pools(statement, currency, call)


def _open(statement: Statement, unit: str) -> None:
    """Leads to what is behind a charge: its parts where something moved, else the bill."""
    by = statement.bill_to_type
    if not statement.settings.is_set:
        go_to(CHARGED[by], unit)
    elif unit != address.value(UNIT):
        address.go({UNIT: [unit]})


def _banner(statement: Statement, currency: str) -> None:
    """What is charged to whom, what is not, and whether both are the bill."""
    total = sum(statement.totals(currency), Decimal())
    charged = statement.charged_to_units(currency)
    units = sum(
        each.currency == currency and each.bill_to != UNALLOCATED for each in statement.charges
    )
    dimension = CHARGED[statement.bill_to_type]
    noun = dimension.noun if units == 1 else dimension.plural
    bill = money(statement.bill[currency], currency)
    words = (
        f"{money(charged, currency)} charged to {units:,} {noun}, "
        f"{money(total - charged, currency)} unallocated: the bill of {bill}."
    )
    if statement.difference(currency) == 0:
        st.success(plain(words), icon=":material/check_circle:")
    else:
        st.error(plain(f"{money(total, currency)} of {bill}: do not use this statement."))


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
    rules = context.workspace.allocation
    statement = build_statement(context.answers, view, by, today(), rules)
    if not statement.bill:
        st.info("No line of Bedrock is on this month's bill: nothing is charged.")
    for each in statement.notices:
        if each.code == "rule-without-effect":
            st.info(plain(each.words), icon=":material/info:")
    for currency in statement.bill:
        draw_statement(statement, currency)
    if statement.bill:
        allocation.draw_preview(
            statement,
            lambda text: build_statement(context.answers, view, by, today(), read_rules(text)),
            list(statement.bill),
            named(by, next(iter(statement.bill))),
        )

    st.subheader("Files", anchor=False)
    if not context.is_invoiced:
        st.caption("The month is provisional: AWS may still change it, and then the files change.")
    files = dict(zip(("Statement", "Detail", "Manifest"), file_names(view.month, by), strict=True))
    if rules.is_set:
        files["Allocation"] = allocation_name(view.month, by)
    with st.container(horizontal=True):
        for label, name in files.items():
            st.download_button(
                f"{label} ({name.rpartition('.')[2].upper()})",
                partial(export_file, context.answers, view, by, name, rules),
                file_name=name,
                key=f"download-{label.lower()}",
                on_click="ignore",
                icon=":material/download:",
                type="primary" if label == "Statement" else "secondary",
            )
        st.download_button(
            "Workbook (XLSX)",
            partial(workbook_file, context.answers, view, by, rules),
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
