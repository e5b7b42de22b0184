"""The house's one rounding mode, half up, and the split of a rounded amount that sums to it."""

from collections.abc import Sequence
from fractions import Fraction

PPM = 1_000_000  # rates are integer parts per million: 6 % = 60_000
PPM_PER_PERCENT = 10_000


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


def spread(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split a whole number in proportion to weights, so that the parts sum to it: the largest remainders round up.

    Of equal remainders the earlier place comes first. Negative totals are split like positive ones. Weights are
    not negative, and one of them is above 0.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"expected weights of at least 0 and one above, got {list(weights)[:10]}")
    sign = -1 if total < 0 else 1
    floors = [abs(total) * weight // whole for weight in weights]
    remainders = [abs(total) * weight % whole for weight in weights]
    first = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in first[: abs(total) - sum(floors)]:
        floors[place] += 1
    return tuple(sign * part for part in floors)
