"""The month's charges as a FOCUS dataset, for tools that read bills of any provider."""
