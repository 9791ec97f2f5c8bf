"""A CUR 2.0 table in Amazon Athena."""
