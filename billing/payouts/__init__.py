"""What the exchange owes its providers, and when it may be paid out."""
