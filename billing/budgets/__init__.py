"""What a project may spend at most."""
