"""Amounts as bars and columns that a page can draw without scripts: geometry in whole units, no text and no money."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Narrow on purpose: on a phone it is drawn at its own size, so its letters stay readable.
WIDTH: Final = 360
_ROW: Final = 34  # a label with its amount above a bar
_BAR: Final = 10
_COLUMNS: Final = 150  # height of the columns with their labels
_BASE: Final = 128
_TOP: Final = 10


@dataclass(frozen=True)
class Bar:
    """One amount drawn from the left: its length is its share of the largest; `is_negative` is drawn hatched."""

    label: str
    amount_minor: int
    text_y: int
    bar_y: int
    length: int
    is_negative: bool


@dataclass(frozen=True)
class BarChart:
    """Bars below each other, in the order they came in."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    thickness: int = _BAR


@dataclass(frozen=True)
class Column:
    """One amount of a series, drawn up from the base line, or down from it when negative."""

    label: str
    amount_minor: int
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class ColumnChart:
    """Columns side by side, in the order they came in."""

    columns: tuple[Column, ...]
    column_width: int
    base: int
    width: int = WIDTH
    height: int = _COLUMNS

    @property
    def first(self) -> Column:
        """The leftmost."""
        return self.columns[0]

    @property
    def last(self) -> Column:
        """The rightmost."""
        return self.columns[-1]


def bar_chart(amounts: Sequence[tuple[str, int]]) -> BarChart:
    """Draw labelled amounts as bars; the largest reaches over the whole width."""
    largest = max((abs(amount) for _, amount in amounts), default=0)
    bars = tuple(
        Bar(
            label=label,
            amount_minor=amount,
            text_y=n * _ROW + 14,
            bar_y=n * _ROW + 19,
            length=abs(amount) * WIDTH // largest if largest else 0,
            is_negative=amount < 0,
        )
        for n, (label, amount) in enumerate(amounts)
    )
    return BarChart(bars, height=len(bars) * _ROW)


def column_chart(amounts: Sequence[tuple[str, int]]) -> ColumnChart:
    """Draw a series of labelled amounts as columns over one base line; at least one."""
    highest, lowest = max(0, *(a for _, a in amounts)), min(0, *(a for _, a in amounts))
    span = highest - lowest
    room = _BASE - _TOP
    base = _TOP + (highest * room // span if span else room)
    step = WIDTH // len(amounts)
    columns = []
    for n, (label, amount) in enumerate(amounts):
        height = abs(amount) * room // span if span else 0
        columns.append(Column(label, amount, n * step + step // 8, base - height if amount > 0 else base, height))
    return ColumnChart(tuple(columns), column_width=step - step // 4, base=base)
