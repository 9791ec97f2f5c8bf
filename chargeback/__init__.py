"""Amazon Bedrock chargeback: from a CUR 2.0 table to statements that tie to the bill."""

__version__ = "0.1.0"
