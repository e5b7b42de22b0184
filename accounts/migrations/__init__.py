"""Schema of accounts, step by step."""
