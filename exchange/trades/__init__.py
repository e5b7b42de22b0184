"""Trades: what a round decided or a quote sold, written once and never changed."""
