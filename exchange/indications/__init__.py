"""What a round would find if its gate were now: indicative prices for everybody, odds for one's own orders."""
