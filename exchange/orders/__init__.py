"""Demand in a market."""
