"""What the program itself costs, on Setup: three usual cases, and what was counted here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from chargeback.billing_period import today
from chargeback.doctor.running_cost import costs_here, usual_costs
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table
from chargeback.workspace import Workspace

TITLE = "What this dashboard costs in AWS a month"
CALCULATED = (
    "Small, Middle and Large are calculated at the prices of us-east-1, with the bill’s storage in "
    "S3. Cost Explorer is asked only for Reconciliation, Close and Setup."
)
IN_ATHENA = (
    "As the figures are kept in Athena, each page that nobody has looked at since the bill changed "
    "costs a little."
)
WHERE = "The calculation is in docs/running-cost.md."
COUNTED = (
    "“This dashboard” is what was counted on this machine; its S3 costs are only on AWS’s bill."
)
DEMO = "This is a demo: nothing is charged."


def draw(workspace: Workspace) -> None:
    """The table, and where its figures come from."""
    is_in_athena = workspace.settings.store.is_in_athena
    usual, here = usual_costs(is_store_in_athena=is_in_athena), costs_here(workspace, today())
    rows = [*usual, *([here] if here else [])]
    names = ("name", "about", "athena", "cost_explorer", "s3", "total")
    st.subheader(TITLE, anchor=False)
    plain_table(
        pd.DataFrame({name: [getattr(row, name) for row in rows] for name in names}),
        columns={
            "name": Column("Organisation"),
            "total": Column("Total", "money"),
            "athena": Column("Athena", "money"),
            "cost_explorer": Column("Cost Explorer", "money"),
            "s3": Column("S3", "money"),
            "about": Column("Bill and readers"),
        },
        currency="USD",
        key="running cost",
        what=TITLE,
    )
    said = [CALCULATED, *([IN_ATHENA] if is_in_athena else []), WHERE, COUNTED if here else DEMO]
    st.caption(plain(" ".join(said)))
