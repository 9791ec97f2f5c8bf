"""What a line of the bill means, and the store that keeps the lines."""
