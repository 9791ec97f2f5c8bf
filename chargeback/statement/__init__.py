"""What is charged to whom, and the files that say so."""
