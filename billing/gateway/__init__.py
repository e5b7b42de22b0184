"""The outside payment service: what was asked of it, and what it keeps of ours."""
