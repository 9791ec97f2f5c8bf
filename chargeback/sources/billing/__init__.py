"""What AWS says of the bill beside CUR 2.0: Cost Explorer and invoices."""
