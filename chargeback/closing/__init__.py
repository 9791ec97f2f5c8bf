"""Closing a month: what stands in the way, what is frozen, and what is posted of it."""
