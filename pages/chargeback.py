"""Chargeback: the month's statement as it is exported, its check, and its files."""

from decimal import Decimal
from functools import partial

import streamlit as st

from chargeback.billing_period import today
from chargeback.closing.adjustment_lines import adjustment_lines
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.formats import ABSENT, date_name, money
from chargeback.money import exact_sum
from chargeback.reports.frames import sums
from chargeback.reports.view import View
from chargeback.statement.build import MONEY, Statement, build_statement
from chargeback.statement.explain import direct_total, read_rules
from chargeback.statement.export import allocation_name, file_names
from chargeback.statement.frame import frame_of_charges
from chargeback.statement.unit_names import Named, names_of
from chargeback.statement.with_detail import with_detail_name
from chargeback.statement.workbook import workbook_name
from chargeback.ui import address, adjustments, allocation, header, page_context, problems
from chargeback.ui.downloads import export_file, with_detail_file, workbook_file
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import go_to
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table, position_of

LABELS = {name: dimension.label for name, dimension in CHARGED.items()}
BILLED_AS = {"principal": "IAM principal", "account": "Account ID"}
"""Heads what stands on the bill, of units that people call by another name."""
UNIT = "unit"
"""In the address: the unit whose charge is opened."""


def draw_statement(statement: Statement, currency: str) -> None:
    """The statement in one currency, with the check that it ties."""
    _banner(statement, currency)
    adjustments.say_provisional(statement, currency)
    by, charges = statement.bill_to_type, frame_of_charges(statement, currency)
    call, totals = named(statement), statement.totals(currency)
    amounts = dict(zip(MONEY, totals, strict=True))
    posted = adjustments.columns(statement, currency)
    shown = charges.assign(
        **adjustments.cells(statement, currency, charges["bill_to"]),
        name=charges["bill_to"].map(call),
        direct=charges["bill_to"].map(partial(direct_total, statement, currency)),
        cost_center=charges["cost_center"].replace("", ABSENT),
    )
    used = [name for name in MONEY if (charges[name] != 0).any()]
    has_cost_center = by != "cost_center" and (charges["cost_center"] != "").any()
    row = plain_table(
        shown,
        columns={
            **allocation.statement_columns(statement, LABELS[by], used, posted),
            **({"cost_center": Column("Cost center")} if has_cost_center else {}),
            **({"bill_to": Column(BILLED_AS[by])} if by in BILLED_AS else {}),
        },
        currency=currency,
        key=f"statement-{by}-{currency}",
        select=True,
        what="Statement",
        total=amounts
        | {"total_charge": exact_sum(totals), **sums(shown, "direct", "adjustment", "due")},
        current=position_of(address.value(UNIT), charges["bill_to"]),
    )
    if row is not None:
        _open(statement, charges["bill_to"].iloc[row])
    unit = address.value(UNIT)
    if has_parts(statement) and unit in set(charges["bill_to"]):
        allocation.draw_unit(statement, currency, unit, call)
        adjustments.draw_of_unit(statement, currency, unit, call)
        if st.button("What was billed", key=f"billed-{currency}", icon=":material/arrow_forward:"):
            go_to(CHARGED[by], unit)
    if statement.settings.is_set:
        allocation.draw_pools(statement, currency, call)


def named(statement: Statement) -> Named:
    """How people call the units of the statement."""
    answers = context.statements.answers(statement.billing_period)
    return names_of(answers, statement.view, statement.bill_to_type)


def has_parts(statement: Statement) -> bool:
    """Whether charges are more than lines of the bill: something moved, or corrects a month."""
    return statement.settings.is_set or bool(adjustment_lines(statement))


def _open(statement: Statement, unit: str) -> None:
    """Leads to what is behind a charge: its parts where something moved, else the bill."""
    by = statement.bill_to_type
    if not has_parts(statement):
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
        f"{_closed_by(statement)}{money(charged, currency)} charged to {units:,} {noun}, "
        f"{money(total - charged, currency)} unallocated: the bill of {bill}."
    )
    if statement.difference(currency) == 0:
        st.success(plain(words), icon=":material/check_circle:")
    else:
        st.error(
            plain(
                f"This statement comes to {money(total, currency)}, but the bill to {bill}: do "
                "not use it."
            )
        )


def _closed_by(statement: Statement) -> str:
    if statement.derived_after_close:
        return "Made out after the close, from what was frozen: "
    if statement.closed is None:
        return ""
    on = date_name(statement.closed.when.date())
    return f"Closed by {statement.closed.who} on {on}; these amounts stand: "


context = page_context.current()
header.draw(context, "Chargeback", frozen=True)
by = address.choice("charge_to", list(CHARGED), LABELS)
st.segmented_control(
    "Charge to",
    list(CHARGED),
    format_func=LABELS.__getitem__,
    default=by,
    required=True,
    **address.control("charge_to", by),
)

with problems.shown_problems():
    view = View.of_month(context.view.month, context.view.rows)
    statements = context.statements
    statement = statements.of(view.month, by)
    if not statement.bill:
        st.info("This month’s bill has no Bedrock charges, so nothing is charged.")
    for each in statement.without_effect:
        st.info(plain(each.words), icon=":material/info:")
    for currency in statement.bill:
        draw_statement(statement, currency)
    if statement.bill and context.closed is None:
        allocation.draw_preview(
            statement,
            lambda text: build_statement(context.answers, view, by, today(), read_rules(text)),
            list(statement.bill),
            named(statement),
        )

    st.container(key="screen-only-files").subheader("Files", anchor=False)
    if context.closed is None and not context.is_invoiced:
        st.caption("The month is provisional: if AWS changes it, these files will change too.")
    files = dict(zip(("Statement", "Detail", "Manifest"), file_names(view.month, by), strict=True))
    if statement.settings.is_set:
        files["Allocation"] = allocation_name(view.month, by)
    with st.container(horizontal=True):
        for label, name in files.items():
            st.download_button(
                f"{label} ({name.rpartition('.')[2].upper()})",
                partial(export_file, statements, view.month, by, name),
                file_name=name,
                key=f"download-{label.lower()}",
                on_click="ignore",
                icon=":material/download:",
                type="primary" if label == "Statement" else "secondary",
            )
        workbooks = {"Workbook (XLSX)": (workbook_file, workbook_name(view.month, by))}
        if not context.closed:  # the lines of a closed one are in the detail file, as frozen
            archive = with_detail_file, with_detail_name(view.month, by)
            workbooks["Workbook with detail (ZIP)"] = archive
        for label, (make, name) in workbooks.items():
            st.download_button(
                label,
                partial(make, statements, view.month, by),
                file_name=name,
                key=f"download-{label}",
                on_click="ignore",
                icon=":material/download:",
            )
    st.caption(
        "Statements are rounded so that rows and columns add up; every amount is within one cent "
        "of its exact value. An amount may therefore differ by a cent from another page, or from "
        "a statement by another kind of unit. The detail file has the exact amounts."
    )
