"""What stands for ever: who changed what, and months as they were closed."""
