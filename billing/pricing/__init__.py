"""Prices beside the rate card: customer classes, adjustments, coefficients and vouchers, each with its dates."""
