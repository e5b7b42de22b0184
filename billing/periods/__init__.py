"""Billing months that are closed: nothing is posted into them any more until two people reopen them."""
