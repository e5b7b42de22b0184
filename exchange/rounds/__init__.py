"""Rounds: one row for each scheduled clearing of a market, from open to published or void."""
