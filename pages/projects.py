"""Projects: what each project spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown

drilldown.show("Projects", ("project", "team", "principal", "model", "token_type"))
