"""The house's one rounding mode, half up, and the exact split of a rounded amount."""

from collections.abc import Sequence
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


def largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` in proportion to non-negative `weights`; the parts sum to `total` exactly.

    Each part is the floor of its exact share; what is left goes one by one to the largest remainders,
    equal remainders to the earlier position. A negative total is split as its opposite. Raises
    ValueError when a weight is negative, or when all weights are 0 (or absent) and the total is not.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weights must not be negative, got {list(weights)}")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError(f"cannot split {total} over weights that sum to 0")
        return (0,) * len(weights)
    sign, size = (1, total) if total >= 0 else (-1, -total)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(size * weights[index] % whole), index))
    for index in by_remainder[: size - sum(parts)]:
        parts[index] += 1
    return tuple(sign * part for part in parts)
