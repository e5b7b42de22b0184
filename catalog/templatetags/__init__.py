"""Template components of the catalogue."""
