"""API keys: programs that act for an organisation."""
