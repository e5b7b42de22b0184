"""Prices over the hours of a delivery pool as a step line that a page can draw without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

WIDTH: Final = 720
HEIGHT: Final = 150
_LEFT: Final = 64  # room for prices
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 28  # room for hours


class PriceRun(Protocol):
    """Hours `[starts_at, ends_at)` with one price, in micros per unit-hour."""

    @property
    def starts_at(self) -> datetime: ...

    @property
    def ends_at(self) -> datetime: ...

    @property
    def price_micros(self) -> int: ...


@dataclass(frozen=True)
class Level:
    """A price and how far from the top its line is drawn."""

    price_micros: int
    y: int


@dataclass(frozen=True)
class StepChart:
    """A drawing `WIDTH` by `HEIGHT`: an SVG path, its lowest and highest price, and its first and last hour."""

    cell: str
    path: str
    levels: tuple[Level, ...]
    starts_at: datetime
    ends_at: datetime
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    baseline: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def lowest(self) -> Level:
        """The lowest price."""
        return self.levels[0]

    @property
    def highest(self) -> Level:
        """The highest price."""
        return self.levels[-1]


def step_chart(cell: str, runs: Sequence[PriceRun]) -> StepChart:
    """Draw the runs of one pool, in order of time and at least one; hours without a price leave a gap."""
    starts_at, ends_at = runs[0].starts_at, runs[-1].ends_at
    span = ends_at - starts_at
    low, high = min(run.price_micros for run in runs), max(run.price_micros for run in runs)

    def across(instant: datetime) -> int:
        return _LEFT + (instant - starts_at) * (WIDTH - _LEFT - _RIGHT) // span

    def down(price_micros: int) -> int:
        # One price alone is drawn in the middle.
        room = HEIGHT - _TOP - _BOTTOM
        return _TOP + (room // 2 if high == low else (high - price_micros) * room // (high - low))

    steps: list[str] = []
    drawn_until: datetime | None = None
    for run in runs:
        y = down(run.price_micros)
        steps.append(f"V{y}" if run.starts_at == drawn_until else f"M{across(run.starts_at)} {y}")
        steps.append(f"H{across(run.ends_at)}")
        drawn_until = run.ends_at
    levels = tuple(Level(price, down(price)) for price in sorted({low, high}))
    return StepChart(cell, "".join(steps), levels, starts_at, ends_at)
