"""Cost centers: what each one spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown

drilldown.show("Cost centers", ("cost_center", "team", "principal", "model", "token_type"))
