"""Bounds of what changes a price, and which of several adjustments counts."""

from typing import Final

MAX_FACTOR_PPM: Final = 10_000_000  # ten times the rate card
MAX_VOUCHER_MINOR: Final = 10**13


def specificity(*, meter: str, customer_class: str, qos: str) -> tuple[bool, bool, bool]:
    """Return how closely an adjustment fits; the greatest counts: the class before the quality, then the meter."""
    return (bool(customer_class), bool(qos), bool(meter))
