"""Finding what lies in an interval, in a row of intervals that do not overlap.

A contract of weeks has hundreds of priced hours and a report for every minute: looking through all of the
one for each of the other takes minutes, while the contract is locked.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from catalog.measures.interval import Interval

Item = TypeVar("Item")


class Timeline(Generic[Item]):
    """Items by their intervals, which do not overlap."""

    def __init__(self, items: Iterable[tuple[Interval, Item]]) -> None:
        ordered = sorted(items, key=lambda item: item[0].start)
        self._items = [item for _, item in ordered]
        self._starts = [interval.start for interval, _ in ordered]
        self._ends = [interval.end for interval, _ in ordered]  # in order as well: nothing overlaps

    def during(self, interval: Interval) -> Sequence[Item]:
        """Return the items that share an instant with an interval, by time."""
        return self._items[bisect_right(self._ends, interval.start) : bisect_left(self._starts, interval.end)]


class Timelines(Generic[Item]):
    """One timeline for each offering."""

    def __init__(self, items: Iterable[tuple[UUID, Interval, Item]]) -> None:
        by_offering: dict[UUID, list[tuple[Interval, Item]]] = {}
        for offering_id, interval, item in items:
            by_offering.setdefault(offering_id, []).append((interval, item))
        self._timelines = {offering_id: Timeline(own) for offering_id, own in by_offering.items()}

    def during(self, offering_id: UUID, interval: Interval) -> Sequence[Item]:
        """Return an offering's items that share an instant with an interval, by time."""
        timeline = self._timelines.get(offering_id)
        return () if timeline is None else timeline.during(interval)
