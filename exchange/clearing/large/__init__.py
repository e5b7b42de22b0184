"""Books of thousands of orders: the mechanism of the room on arrays of integers."""
