"""The command line: python -m chargeback."""
