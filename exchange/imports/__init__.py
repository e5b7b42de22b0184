"""Reads real traces and listings from outside into offers and orders: parse first, then load all or nothing."""
