"""The demo market: made-up members, and the story that the docs and tests tell."""
