"""Seeded draws that come out the same on every machine, in every order, for ever.

A draw depends on the seed, its subject and its purpose and on nothing drawn before, so leaving a row out or
adding one changes no other row. Arithmetic is in integers and decimals: no floating point, no generator state.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final, TypeVar

T = TypeVar("T")

_WORD_BITS: Final = 32
_NORMAL_WORDS: Final = 12  # twelve uniforms have variance 1
_PRECISION: Final = 28


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of one subject (say a pod) under a seed; each purpose is a draw of its own."""

    seed: int
    subject: str

    def uniform(self, purpose: str) -> Fraction:
        """A number from 0 up to, and without, 1."""
        return Fraction(self._word(purpose, 0), 1 << _WORD_BITS)

    def whole(self, purpose: str, minimum: int, maximum: int) -> int:
        """A whole number within bounds, both included."""
        return minimum + int(self.uniform(purpose) * (maximum - minimum + 1))

    def chance(self, purpose: str, percent: int) -> bool:
        """True in `percent` of a hundred draws."""
        return self.uniform(purpose) * 100 < percent

    def choice(self, purpose: str, options: Sequence[tuple[T, int]]) -> T:
        """One of the options, each in proportion to its whole weight."""
        place = int(self.uniform(purpose) * sum(weight for _, weight in options))
        for option, weight in options:
            if place < weight:
                return option
            place -= weight
        raise AssertionError("the place lies below the sum of the weights")

    def normal(self, purpose: str) -> Decimal:
        """A number of mean 0 and deviation 1, close to normal: twelve uniforms less six, so within 6 of the mean."""
        total = sum(self._word(purpose, index) for index in range(_NORMAL_WORDS))
        with localcontext(prec=_PRECISION):
            return Decimal(total) / (1 << _WORD_BITS) - 6

    def lognormal(self, purpose: str, mean: Decimal, deviation: Decimal) -> Decimal:
        """exp of a normal number; `mean` and `deviation` are those of the logarithm."""
        with localcontext(prec=_PRECISION):
            return (mean + deviation * self.normal(purpose)).exp()

    def _word(self, purpose: str, index: int) -> int:
        digest = hashlib.sha512(f"{self.seed}\x1f{self.subject}\x1f{purpose}".encode()).digest()
        return int.from_bytes(digest[index * 4 : index * 4 + 4])
