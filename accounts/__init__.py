"""Who acts, and the trail they leave."""
