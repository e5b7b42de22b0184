"""Leases: the delivery of what was bought, from hand-over to its end."""
