"""The bank's statements: read strictly, kept entry by entry, and matched with what customers announced."""
