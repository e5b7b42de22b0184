"""Template components of the accounts."""
