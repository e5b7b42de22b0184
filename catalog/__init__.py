"""What can be bought, where, and in which units."""
