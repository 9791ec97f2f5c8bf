"""Tenants: what each tenant spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown

drilldown.show("Tenants", ("tenant", "team", "principal", "model", "token_type"))
