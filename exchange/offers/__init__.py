"""Supply in a market."""
