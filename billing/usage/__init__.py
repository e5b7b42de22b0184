"""Usage: what providers report, accepted once and kept for ever."""
