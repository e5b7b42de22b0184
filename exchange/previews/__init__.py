"""Previews: what a draft order would meet in the open book, without placing it."""
