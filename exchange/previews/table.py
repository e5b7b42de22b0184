"""The listed cells of a market as columns, so that many needs are held against all of them at once: pure."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.offerings.needs import CellAttributes, MaxLatency, Needs

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

_Need = TypeVar("_Need", bound=Hashable)
# An attribute that is not stated meets no lower bound, which is 0 or more, and no latency.
_NOT_STATED: Final = -1
_FAR: Final = 1 << 40
_ATTRIBUTES: Final = {
    "min_mem_gb": "memory_gb",
    "min_tflops": "tflops",
    "min_green_pct": "green_percent",
    "min_security": "security",
}


@dataclass(frozen=True)
class CellTable:
    """Cells by their codes; every mask over them is in this order."""

    codes: tuple[str, ...]
    cells: tuple[CellAttributes, ...]
    # What was asked before: a table lives as long as one preview.
    _unmet: dict[tuple[str, object], Mask] = field(default_factory=dict, compare=False, repr=False)
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
                found[key] = self._remembered(key, allowed, self._outside)
        for key, bound in (
            ("min_mem_gb", needs.min_memory_gb),
            ("min_tflops", needs.min_tflops),
            ("min_green_pct", needs.min_green_percent),
            ("min_security", needs.min_security),
        ):
            if bound is not None:
                found[key] = self._remembered(key, bound, self._below)
        if needs.max_latency is not None:
            found["max_latency"] = self._remembered("max_latency", needs.max_latency, self._farther)
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

    def _remembered(self, key: str, need: _Need, unmet_by: Callable[[str, _Need], Mask]) -> Mask:
        """Return which cells do not meet a need; the orders of a book repeat the same few."""
        if (key, need) not in self._unmet:
            self._unmet[key, need] = unmet_by(key, need)
        return self._unmet[key, need]

    def _outside(self, key: str, allowed: tuple[str, ...]) -> Mask:
        return np.array([getattr(cell, key) not in allowed for cell in self.cells], dtype=np.bool_)

    def _below(self, key: str, bound: int) -> Mask:
        stated = _column([getattr(cell, _ATTRIBUTES[key]) for cell in self.cells])
        below: Mask = stated < bound
        return below

    def _farther(self, key: str, bound: MaxLatency) -> Mask:
        farther: Mask = self.latencies(bound.metro) > bound.ms
        return farther


def _column(values: Sequence[int | None]) -> Integers:
    return np.array([_NOT_STATED if value is None else value for value in values], dtype=np.int64)
