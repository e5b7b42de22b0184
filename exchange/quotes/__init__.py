"""Quotes: a firm price for a rectangle of units and hours, held for the asker for some minutes."""
