"""What providers list: offerings, their rate cards, and the search by need."""
