"""The house's one rounding mode: half up."""

from fractions import Fraction

PPM = 1_000_000  # rates are integer parts per million: 6 % = 60_000


def half_up(numerator: int, denominator: int = 1) -> int:
    """Return numerator / denominator rounded to an integer, halves away from zero.

    The sign of a credit does not change its size: half_up(-5, 2) is -3 as half_up(5, 2) is 3.
    """
    if denominator == 0:
        raise ZeroDivisionError("half_up needs a denominator other than 0")
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def half_up_exact(value: Fraction) -> int:
    """Round an exact value to an integer, halves away from zero."""
    return half_up(value.numerator, value.denominator)


def share(amount_minor: int, rate_ppm: int) -> int:
    """Return `rate_ppm` parts per million of an amount in minor units, rounded once."""
    return half_up(amount_minor * rate_ppm, PPM)
