"""Statement: what one unit is handed of a month, as it prints, and its files."""

from chargeback.ui import unit_statement

unit_statement.show()
