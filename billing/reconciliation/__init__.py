"""What does not match: every difference with its age and a likely cause."""
