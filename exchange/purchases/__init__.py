"""Purchases: an accepted quote becomes trades, contracts and leases at once, beside the auction."""
