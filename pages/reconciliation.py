"""Reconciliation: the bill on its invoices, against Cost Explorer, and what makes them differ."""

import streamlit as st

from chargeback.billing_period import month_of, today
from chargeback.reconciliation.compare import reconcile
from chargeback.ui import header, page_context, problems, reconciliation
from chargeback.ui.markdown import plain

context = page_context.current()
workspace, month = context.workspace, context.view.month
header.draw(context, "Reconciliation")
explorer = workspace.cost_explorer
with st.spinner("Asking Cost Explorer and the invoices…"):
    result = reconcile(
        context.answers, explorer, workspace.invoices, context.view.unfiltered, today()
    )
for problem in result.problems:
    if context.problem is None or problem.what != context.problem.what:
        problems.show_problem(problem, stale=True)
reconciliation.show_verdict(result)
reconciliation.show_bill(result)
reconciliation.show_invoice_totals(result)
reconciliation.show_invoices(result)
reconciliation.show_cost_explorer(result)
if result.comparisons:
    st.caption(reconciliation.IN_CENTS)
if result.cost_explorer and month == month_of(today()):
    reconciliation.show_forecast(explorer, result.problems)
if result.services:
    reconciliation.show_services(result)
spent = explorer.spent_this_month
st.caption(
    plain(
        reconciliation.sources_asked(
            result, explorer.requests_this_month, spent, workspace.settings.is_demo
        )
    )
)
for question, answer in reconciliation.QUESTIONS:
    st.subheader(plain(question), anchor=False)
    st.markdown(plain(answer))
