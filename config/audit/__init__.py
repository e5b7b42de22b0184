"""The outside check: every invariant again, in SQL that shares nothing with the code that keeps it."""
