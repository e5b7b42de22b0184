"""The auction of a round: freeze the book at the gate, clear it, settle its trades, publish."""
