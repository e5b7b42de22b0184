"""Data centres: their hub, energy, latency, security and connection to the grid."""
