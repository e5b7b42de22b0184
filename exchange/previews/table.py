"""The listed cells of a market as columns, so that many needs are held against all of them at once: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.offerings.needs import CellAttributes, Needs

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

# An attribute that is not stated meets no lower bound, which is 0 or more, and no latency.
_NOT_STATED: Final = -1
_FAR: Final = 1 << 40


@dataclass(frozen=True)
class CellTable:
    """Cells by their codes; every mask over them is in this order."""

    codes: tuple[str, ...]
    cells: tuple[CellAttributes, ...]
    # What was asked before: a table lives as long as one preview.
    _choices: dict[tuple[str, tuple[str, ...]], Mask] = field(default_factory=dict, compare=False, repr=False)
    _latencies: dict[str, Integers] = field(default_factory=dict, compare=False, repr=False)

    def unmet(self, needs: Needs) -> dict[str, Mask]:
        """Return by document key which cells do not meet a need, as Needs.unmet_by says of each cell."""
        found: dict[str, Mask] = {}
        for key, allowed in (
            ("model", needs.models),
            ("region", needs.regions),
            ("interconnect", needs.interconnects),
        ):
            if allowed:
                found[key] = self._outside(key, allowed)
        for key, column, bound in (
            ("min_mem_gb", self._memory, needs.min_memory_gb),
            ("min_tflops", self._tflops, needs.min_tflops),
            ("min_green_pct", self._green, needs.min_green_percent),
            ("min_security", self._security, needs.min_security),
        ):
            if bound is not None:
                found[key] = column < bound
        if needs.max_latency is not None:
            found["max_latency"] = self.latencies(needs.max_latency.metro) > needs.max_latency.ms
        return found

    def meeting(self, needs: Needs) -> Mask:
        """Return which cells meet every need."""
        met = np.ones(len(self.codes), dtype=np.bool_)
        for unmet in self.unmet(needs).values():
            met &= ~unmet
        return met

    def latencies(self, metro: str) -> Integers:
        """Return every cell's milliseconds to a metro, far beyond any bound where it is not stated."""
        if metro not in self._latencies:
            far = [cell.latency_ms.get(metro, _FAR) for cell in self.cells]
            self._latencies[metro] = np.array(far, dtype=np.int64)
        return self._latencies[metro]

    def _outside(self, key: str, allowed: tuple[str, ...]) -> Mask:
        """Return which cells are none of the allowed; the orders of a book repeat the same few choices."""
        if (key, allowed) not in self._choices:
            outside = [getattr(cell, key) not in allowed for cell in self.cells]
            self._choices[key, allowed] = np.array(outside, dtype=np.bool_)
        return self._choices[key, allowed]

    @cached_property
    def _memory(self) -> Integers:
        return _column([cell.memory_gb for cell in self.cells])

    @cached_property
    def _tflops(self) -> Integers:
        return _column([cell.tflops for cell in self.cells])

    @cached_property
    def _green(self) -> Integers:
        return _column([cell.green_percent for cell in self.cells])

    @cached_property
    def _security(self) -> Integers:
        return _column([cell.security for cell in self.cells])


def _column(values: Sequence[int | None]) -> Integers:
    return np.array([_NOT_STATED if value is None else value for value in values], dtype=np.int64)
