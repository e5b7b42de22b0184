"""Money in: top-ups by bank transfer and the bank's receipts."""
