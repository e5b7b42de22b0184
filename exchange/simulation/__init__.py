"""A market of imported offers and orders, run through all of it on a virtual clock."""
