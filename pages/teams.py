"""Teams: what each team spent, and the way down to the lines of the bill."""

from chargeback.ui import drilldown

drilldown.show("Teams", ("team", "tenant", "principal", "model", "token_type"))
