"""The bill held against Cost Explorer and invoices, and what makes them differ."""
