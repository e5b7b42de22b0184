"""Whether a cell is what an order asks for."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.book import Attributes, Needs

_CONDITIONS = tuple(field.name for field in dataclasses.fields(Needs))


def satisfies(attributes: Attributes, needs: Needs) -> bool:
    """Return whether the cell meets every need; an attribute that a need refers to and the cell lacks does not."""
    return (
        _is_allowed(attributes.model, needs.model)
        and _is_allowed(attributes.region, needs.region)
        and _is_allowed(attributes.interconnect, needs.interconnect)
        and _is_at_least(attributes.mem_gb, needs.min_mem_gb)
        and _is_at_least(attributes.tflops, needs.min_tflops)
        and _is_at_least(attributes.green_pct, needs.min_green_pct)
        and _is_at_least(attributes.security, needs.min_security)
        and _is_near(attributes, needs)
    )


def _is_allowed(value: str | None, allowed: tuple[str, ...] | None) -> bool:
    return allowed is None or (value is not None and value in allowed)


def _is_at_least(value: int | None, bound: int | None) -> bool:
    return bound is None or (value is not None and value >= bound)


def _is_near(attributes: Attributes, needs: Needs) -> bool:
    if needs.max_latency is None:
        return True
    latency = (attributes.latency_ms or {}).get(needs.max_latency.metro)
    return latency is not None and latency <= needs.max_latency.ms


class Matcher:
    """Which of many cells meet which needs; each single condition is looked at once."""

    def __init__(self, cells: Sequence[Attributes]) -> None:
        self._cells = cells
        self._known: dict[object, NDArray[np.bool_]] = {}

    def satisfying(self, needs: Needs) -> NDArray[np.bool_]:
        """Return for each cell whether it meets the needs; equal to ``satisfies`` of each."""
        met = np.ones(len(self._cells), dtype=bool)
        for field in _CONDITIONS:
            value = getattr(needs, field)
            if value is None:
                continue
            if (field, value) not in self._known:
                alone = Needs(**{field: value})
                self._known[field, value] = np.array([satisfies(cell, alone) for cell in self._cells], dtype=bool)
            met &= self._known[field, value]
        return met
