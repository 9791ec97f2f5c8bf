"""Reconciliation: the month in CUR, in Cost Explorer and on the invoices, and why they differ."""

import streamlit as st

from chargeback.billing_period import month_of, today
from chargeback.reconciliation.compare import reconcile
from chargeback.ui import header, page_context, problems, reconciliation
from chargeback.ui.markdown import plain

context = page_context.current()
workspace, month, currency = context.workspace, context.view.month, context.view.currency
header.draw(context, "Reconciliation")
explorer = workspace.cost_explorer
with st.spinner("Asking Cost Explorer and the invoices…"):
    result = reconcile(
        context.answers, explorer, workspace.invoices, context.view.unfiltered, today()
    )
for problem in result.problems:
    problems.show_problem(problem, stale=True)
reconciliation.show_figures(result)
for comparison in result.comparisons:
    reconciliation.show_bridge(comparison, currency, month)
if result.cost_explorer and month == month_of(today()):
    reconciliation.show_forecast(explorer)
if result.services:
    reconciliation.show_services(result)
reconciliation.show_invoices(result)
spent = explorer.spent_this_month
st.caption(
    plain(
        reconciliation.asked(
            result, explorer.requests_this_month, spent, workspace.settings.is_demo
        )
    )
)
for question, answer in reconciliation.QUESTIONS:
    st.subheader(plain(question), anchor=False)
    st.markdown(plain(answer))
