"""First answer wins: a request repeated with the same key has its effect once."""
