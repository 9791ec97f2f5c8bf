"""Principals: what each principal spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown, principal_kinds

drilldown.show(
    "Principals", ("principal", "iam_principal", "model", "token_type"), principal_kinds.narrow
)
