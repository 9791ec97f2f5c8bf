"""The questions that pages and the command line ask, and their answers."""
