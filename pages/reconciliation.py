"""Reconciliation: the month in CUR, in Cost Explorer and on the invoices, and why they differ."""

import streamlit as st

from chargeback.billing_period import month_of, today
from chargeback.reconciliation.causes import ANSWERS
from chargeback.reconciliation.compare import reconcile
from chargeback.ui import header, page_context, problems
from chargeback.ui import reconciliation as reconciled
from chargeback.ui.formats import plain

context = page_context.current()
workspace, month, currency = context.workspace, context.view.month, context.view.currency
header.draw(context, "Reconciliation")
if context.view.where:
    st.caption("A month is always reconciled whole: the filters do not apply here.")
explorer = workspace.cost_explorer
with st.spinner("Asking Cost Explorer and the invoices…"):
    result = reconcile(
        context.answers, explorer, workspace.invoices, context.view.unfiltered, today()
    )
for problem in result.problems:
    problems.show_problem(problem, stale=True)
reconciled.show_figures(result)
for comparison in result.comparisons:
    reconciled.show_bridge(comparison, currency, month)
if result.cost_explorer and month == month_of(today()):
    reconciled.show_forecast(explorer)
if result.services:
    reconciled.show_services(result)
reconciled.show_invoices(result)
spent = explorer.spent_this_month
st.caption(
    plain(reconciled.asked(result, explorer.requests_this_month, spent, workspace.settings.is_demo))
)
for answer in ANSWERS:
    st.subheader(plain(answer.question), anchor=False)
    st.markdown(plain(answer.text))
