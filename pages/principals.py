"""Principals: what each principal spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown

drilldown.show("Principals", ("principal", "iam_principal", "model", "token_type"))
