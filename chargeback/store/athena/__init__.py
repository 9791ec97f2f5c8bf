"""The spend store in Amazon Athena and Amazon S3."""
