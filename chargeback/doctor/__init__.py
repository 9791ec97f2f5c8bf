"""Whether everything is set up: the checks, and what each of them found."""
