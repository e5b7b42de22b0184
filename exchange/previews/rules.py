"""Why nothing fits a draft order, and the nearest changes after which something does: pure, on plain values."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from catalog.measures.price import format_micros
from catalog.offerings.needs import MaxLatency
from exchange.orders.rules import OrderKind
from exchange.previews.book import Book, Draft, Match


class Aspect(StrEnum):
    """What of a draft can be in the way, and be changed; ties are ranked in this order."""

    WINDOW = "window"
    PRICE = "price"
    QUANTITY = "quantity"
    MINIMUM = "minimum"
    SINGLE_SITE = "single_site"
    REGION = "region"
    MODEL = "model"
    INTERCONNECT = "interconnect"
    LATENCY = "latency"
    GREEN = "green"
    SECURITY = "security"
    MEMORY = "memory"
    PERFORMANCE = "performance"


@dataclass(frozen=True)
class Reason:
    """One thing that is in the way: the field, a sentence, and what the draft would get without it alone."""

    aspect: Aspect
    pointer: str
    detail: str
    unit_hours: int
    excluded: int = 0  # of the listed cells, by a need


@dataclass(frozen=True)
class Alternative:
    """The nearest draft that differs in one aspect and fits, and what it would get."""

    aspect: Aspect
    draft: Draft
    match: Match


# The aspects that are needs: the key in the document, and the field of Needs.
_LISTS: Final = {
    Aspect.MODEL: ("model", "models"),
    Aspect.REGION: ("region", "regions"),
    Aspect.INTERCONNECT: ("interconnect", "interconnects"),
}
_BOUNDS: Final = {
    Aspect.GREEN: ("min_green_pct", "min_green_percent", "green_percent"),
    Aspect.SECURITY: ("min_security", "min_security", "security"),
    Aspect.MEMORY: ("min_mem_gb", "min_memory_gb", "memory_gb"),
    Aspect.PERFORMANCE: ("min_tflops", "min_tflops", "tflops"),
}
_ATTRIBUTES: Final = {Aspect.MODEL: "model", Aspect.REGION: "region", Aspect.INTERCONNECT: "interconnect"}


def matched(book: Book, draft: Draft) -> Match:
    """Return what is left for a draft, as `exchange.previews.book` defines it."""
    return book.at(draft.limit_micros).match(draft, book.table.meeting(draft.needs))


def reasons(book: Book, draft: Draft, *, highest_micros: int) -> list[Reason]:
    """Return what keeps a draft that nothing fits from being filled, what alone unlocks most first."""
    order = list(Aspect)
    found = [*_needs_in_the_way(book, draft), *_terms_in_the_way(book, draft, highest_micros=highest_micros)]
    return sorted(found, key=lambda reason: (-reason.unit_hours, order.index(reason.aspect)))


def alternatives(book: Book, draft: Draft, *, highest_micros: int, tick_micros: int) -> list[Alternative]:
    """Return for each aspect the nearest change alone after which something fits, what gets most first.

    Nearest is: the least step of a bound, the one added choice of a list and the window of the same length that gets
    most (of equal ones the least moved), the least higher limit, the largest smaller quantity.
    """
    candidates = [
        *_other_needs(book, draft),
        *_other_windows(book, draft),
        *_higher_limits(book, draft, highest_micros=highest_micros, tick_micros=tick_micros),
        *_smaller_quantities(book, draft),
    ]
    if draft.single_site:
        candidates.append((Aspect.SINGLE_SITE, replace(draft, single_site=False)))
    found = [Alternative(aspect, changed, matched(book, changed)) for aspect, changed in candidates]
    order = list(Aspect)
    return sorted(
        (alternative for alternative in found if alternative.match.fits),
        key=lambda one: (-one.match.unit_hours, order.index(one.aspect)),
    )


# --- Needs -------------------------------------------------------------------------------------


def _needs_in_the_way(book: Book, draft: Draft) -> Iterator[Reason]:
    unmet = book.table.unmet(draft.needs)
    document = draft.needs.to_document()
    count = len(book.table.codes)
    for aspect, key in _keys():
        if key in unmet and unmet[key].any():
            others = np.ones(count, dtype=np.bool_)
            for other, mask in unmet.items():
                if other != key:
                    others &= ~mask
            without = book.at(draft.limit_micros).match(draft, others)
            excluded = int(unmet[key].sum())
            detail = f"{key} = {_shown(document[key])} excludes {excluded} of {count} listed cells"
            yield Reason(aspect, f"/needs/{key}", detail, without.unit_hours, excluded)


def _keys() -> Iterator[tuple[Aspect, str]]:
    yield from ((aspect, key) for aspect, (key, _) in _LISTS.items())
    yield Aspect.LATENCY, "max_latency"
    yield from ((aspect, key) for aspect, (key, _, _) in _BOUNDS.items())


def _other_needs(book: Book, draft: Draft) -> Iterator[tuple[Aspect, Draft]]:
    for aspect, (_, field) in _LISTS.items():
        chosen: tuple[str, ...] = getattr(draft.needs, field)
        if chosen:
            here = {getattr(cell, _ATTRIBUTES[aspect]) for cell in book.table.cells} - {None, *chosen}
            changed = [_with(draft, **{field: tuple(sorted((*chosen, value)))}) for value in sorted(here)]
            best = max(changed, key=lambda one: matched(book, one).unit_hours, default=None)
            if best is not None:
                yield aspect, best
    for aspect, (_, field, attribute) in _BOUNDS.items():
        bound: int | None = getattr(draft.needs, field)
        if bound is not None:
            values = {getattr(cell, attribute) for cell in book.table.cells} - {None}
            steps = [_with(draft, **{field: value}) for value in sorted(values, reverse=True) if value < bound]
            yield from _first(book, aspect, [*steps, _with(draft, **{field: None})])
    latency = draft.needs.max_latency
    if latency is not None:
        far = {int(ms) for ms in book.table.latencies(latency.metro) if latency.ms < ms <= _FARTHEST_MS}
        steps = [_with(draft, max_latency=MaxLatency(latency.metro, ms)) for ms in sorted(far)]
        yield from _first(book, Aspect.LATENCY, [*steps, _with(draft, max_latency=None)])


_FARTHEST_MS: Final = 10_000


def _first(book: Book, aspect: Aspect, steps: list[Draft]) -> Iterator[tuple[Aspect, Draft]]:
    """Yield the first step that fits; every further one gets as much or more, so it is found by halves."""
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if matched(book, steps[middle]).fits:
            high = middle
        else:
            low = middle + 1
    if low < len(steps):
        yield aspect, steps[low]


def _with(draft: Draft, **needs: object) -> Draft:
    return replace(draft, needs=replace(draft.needs, **needs))  # type: ignore[arg-type]  # fields of Needs, by name


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(str(choice) for choice in value)
    if isinstance(value, dict):
        return f"{value['ms']} ms to {value['metro']}"
    return str(value)


# --- Window, price, quantity -------------------------------------------------------------------


def _terms_in_the_way(book: Book, draft: Draft, *, highest_micros: int) -> Iterator[Reason]:
    cells = book.table.meeting(draft.needs)
    for _, elsewhere in _other_windows(book, draft):
        moved = matched(book, elsewhere)
        if moved.fits:
            yield Reason(Aspect.WINDOW, _window_pointer(), "in other hours there is room", moved.unit_hours)
    dearest = matched(book, replace(draft, limit_micros=highest_micros))
    if dearest.fits:
        yield Reason(Aspect.PRICE, "/limit_price", _why_too_low(book, draft), dearest.unit_hours)
    if draft.kind is OrderKind.BLOCK:
        view = book.at(draft.limit_micros)
        any_units = view.match(replace(draft, units_min=1), cells)
        if any_units.fits:
            aspect = Aspect.QUANTITY if draft.units_min == draft.units_max else Aspect.MINIMUM
            pointer = "/quantity" if aspect is Aspect.QUANTITY else "/min_quantity"
            detail = f"{any_units.units} units are left over {draft.hours} hours, at least {draft.units_min} are wanted"
            yield Reason(aspect, pointer, detail, any_units.unit_hours)
        shared = view.match(replace(draft, single_site=False), cells)
        if draft.single_site and shared.fits:
            yield Reason(
                Aspect.SINGLE_SITE, "/single_site", "no single delivery pool has as many left", shared.unit_hours
            )


def _window_pointer() -> str:
    return "/earliest_at"


def _why_too_low(book: Book, draft: Draft) -> str:
    cheapest = book.reserves_of(book.table.meeting(draft.needs), draft.earliest, draft.latest)
    if cheapest and cheapest[0] >= draft.limit_micros:
        return f"the lowest compatible reserve is {format_micros(cheapest[0])}"
    return "what is compatible at this limit is less than orders of the same or a higher limit want"


def _other_windows(book: Book, draft: Draft) -> Iterator[tuple[Aspect, Draft]]:
    """Yield the draft in the window of the same length that gets most; a block's is as long as the block."""
    view, cells, span = book.at(draft.limit_micros), book.table.meeting(draft.needs), book.span
    if draft.kind is OrderKind.BLOCK:
        length = draft.hours
        levels = np.minimum(view.levels(draft, cells), draft.units_max)
        gets = np.where(levels >= draft.units_min, levels, 0)
    else:
        length = draft.latest - draft.earliest
        units = np.minimum(view.left_of(cells), draft.units_max)
        sums = np.concatenate([[0], np.cumsum(units)])
        gets = sums[length:] - sums[:-length] if span.slots >= length else np.zeros(0, dtype=np.int64)
    starts = span.first + np.arange(len(gets))
    gets = np.where(starts % span.step == 0, gets, 0)
    if len(gets) and gets.max() > 0:
        moved = np.maximum(np.maximum(draft.earliest - starts, starts + length - draft.latest), 0)
        best = min(np.flatnonzero(gets == gets.max()), key=lambda place: (int(moved[place]), int(place)))
        start = span.first + int(best)
        if (start, start + length) != (draft.earliest, draft.latest):
            yield Aspect.WINDOW, replace(draft, earliest=start, latest=start + length)


def _higher_limits(
    book: Book, draft: Draft, *, highest_micros: int, tick_micros: int
) -> Iterator[tuple[Aspect, Draft]]:
    """Yield the draft at the least higher limit that fits: a tick above a reserve that it then reaches, or a rival."""
    cells = book.table.meeting(draft.needs)
    reserves = book.reserves_of(cells, draft.earliest, draft.latest)
    limits = {price + tick_micros for price in (*reserves, *book.rival_limits)}
    steps = [limit for limit in sorted(limits) if draft.limit_micros < limit <= highest_micros]
    yield from _first(book, Aspect.PRICE, [replace(draft, limit_micros=limit) for limit in steps])


def _smaller_quantities(book: Book, draft: Draft) -> Iterator[tuple[Aspect, Draft]]:
    if draft.kind is OrderKind.BLOCK:
        units = matched(book, replace(draft, units_min=1)).units
        if 0 < units < draft.units_min:
            yield Aspect.QUANTITY, replace(draft, units_min=units, units_max=units)
            yield Aspect.MINIMUM, replace(draft, units_min=units)
