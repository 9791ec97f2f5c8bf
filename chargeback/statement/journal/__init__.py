"""What is posted of a month, as files that general ledgers take."""
