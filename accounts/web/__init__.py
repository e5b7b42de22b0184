"""What the API views of every app are made of."""
