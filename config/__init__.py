"""How the exchange is started, configured and joined together."""
