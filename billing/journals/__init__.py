"""Journal entries made by hand: proposed by one person, posted when another approves."""
