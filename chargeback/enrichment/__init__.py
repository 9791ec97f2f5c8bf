"""The facts joined with what they mean under some rules, for reports to ask."""
