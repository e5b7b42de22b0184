"""The rules of a market: slot grid, lot, tick, gates and price collar."""
