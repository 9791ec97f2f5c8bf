"""What a usage type and a product of Amazon Bedrock mean."""
