"""Trades: what a round decided, written once and never changed."""
