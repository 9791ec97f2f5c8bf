"""Who may look, which rows they may see, and who may change figures."""
