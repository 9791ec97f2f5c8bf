"""The spend store: the facts as billed, in versions of billing periods."""
