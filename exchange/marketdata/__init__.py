"""What everybody may know of a market: depth, rounds, trades without names, prices by hour, and an index."""
