"""The charges of a statement for screens; files need no pandas, which is slow to import."""

from __future__ import annotations

import pandas as pd

from chargeback.statement.build import MONEY, Statement


def frame_of_charges(statement: Statement, currency: str) -> pd.DataFrame:
    """The charges in one currency by amount: bill_to, cost_center, MONEY, total_charge."""
    rows = [
        [charge.bill_to, charge.cost_center, *charge.amounts, charge.total]
        for charge in statement.by_amount
        if charge.currency == currency
    ]
    return pd.DataFrame(rows, columns=["bill_to", "cost_center", *MONEY, "total_charge"])
