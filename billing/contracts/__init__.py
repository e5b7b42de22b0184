"""Contracts: what was agreed between a buyer, the exchange and one provider."""
