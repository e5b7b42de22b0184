"""What a preview calls left is never more than there is in the worst case, and its alternatives do fit."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.needs import CellAttributes, MaxLatency, Needs
from exchange.orders.rules import OrderKind
from exchange.previews import rules
from exchange.previews.book import Book, Draft, OpenOffer, OpenOrder, Range
from exchange.previews.rules import Aspect
from exchange.previews.table import CellTable
from tests.exchange.previews.reference import Rival, least_level

SLOTS = 4
MODELS = ("a", "b")
REGIONS = ("north", "south")


def optional(values: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | values


@st.composite
def cells(draw: st.DrawFn) -> CellAttributes:
    return CellAttributes(
        model=draw(st.sampled_from(MODELS)),
        region=draw(st.sampled_from(REGIONS)),
        memory_gb=draw(optional(st.integers(1, 3))),
        tflops=draw(optional(st.integers(1, 3))),
        green_percent=draw(optional(st.integers(0, 3))),
        security=draw(optional(st.integers(2, 4))),
        interconnect=draw(st.none() | st.sampled_from(("roce", "ib"))),
        latency_ms=draw(st.dictionaries(st.sampled_from(("bj", "sh")), st.integers(1, 3))),
    )


def choices(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=2).map(lambda chosen: tuple(sorted(chosen)))


@st.composite
def needs(draw: st.DrawFn) -> Needs:
    return Needs(
        models=draw(choices(MODELS)),
        regions=draw(choices(REGIONS)),
        interconnects=draw(choices(("ib", "roce"))),
        min_memory_gb=draw(optional(st.integers(1, 3))),
        min_tflops=draw(optional(st.integers(1, 3))),
        min_green_percent=draw(optional(st.integers(0, 3))),
        min_security=draw(optional(st.integers(2, 4))),
        max_latency=draw(st.none() | st.builds(MaxLatency, st.sampled_from(("bj", "sh")), st.integers(1, 3))),
    )


@st.composite
def easy_needs(draw: st.DrawFn) -> Needs:
    """Needs that small books meet now and then."""
    return Needs(
        models=draw(st.just(()) | choices(MODELS)),
        regions=draw(st.just(()) | choices(REGIONS)),
        min_green_percent=draw(optional(st.integers(0, 2))),
        max_latency=draw(st.none() | st.just(MaxLatency("bj", 2))),
    )


@st.composite
def offers(draw: st.DrawFn, cell_count: int) -> OpenOffer:
    start = draw(st.integers(0, SLOTS - 1))
    end = draw(st.integers(start + 1, SLOTS))
    units = draw(st.integers(1, 3))
    taken = draw(st.dictionaries(st.integers(start, end - 1), st.integers(1, units), max_size=2))
    return OpenOffer(
        draw(st.integers(0, cell_count - 1)), start, end, units, draw(st.integers(1, 3)), tuple(taken.items())
    )


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, SLOTS - 1))
    return start, draw(st.integers(start + 1, SLOTS))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    earliest, latest = draw(windows())
    kind = draw(st.sampled_from(OrderKind))
    units = draw(st.integers(1, 4))
    is_block = kind is OrderKind.BLOCK
    return Draft(
        kind=kind,
        units_min=draw(st.integers(1, units)) if is_block else 0,
        units_max=units,
        hours=draw(st.integers(1, latest - earliest)) if is_block else 0,
        earliest=earliest,
        latest=latest,
        single_site=is_block and draw(st.booleans()),
        limit_micros=draw(st.integers(1, 4)),
        needs=draw(easy_needs()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[CellTable, list[OpenOffer], list[tuple[OpenOrder, int | None]], Draft]:
    found = draw(st.lists(cells(), min_size=1, max_size=3))
    table = CellTable(tuple(f"cell-{place}" for place in range(len(found))), tuple(found))
    rivals = []
    for _ in range(draw(st.integers(0, 3))):
        earliest, latest = draw(windows())
        hours = draw(optional(st.integers(1, latest - earliest)))
        order = OpenOrder(draw(easy_needs()), earliest, latest, draw(st.integers(1, 3)), draw(st.integers(1, 4)))
        rivals.append((order, hours))
    return table, draw(st.lists(offers(len(found)), max_size=4)), rivals, draw(drafts())


def book_of(
    table: CellTable, supply: list[OpenOffer], rivals: list[tuple[OpenOrder, int | None]], *, lot_units: int = 1
) -> Book:
    return Book(Range(0, SLOTS, 1, lot_units), table, supply, [order for order, _ in rivals])


@given(st.lists(cells(), max_size=4), needs())
def test_the_columns_say_of_every_cell_what_needs_say_of_it(found: list[CellAttributes], wanted: Needs) -> None:
    table = CellTable(tuple(str(place) for place in range(len(found))), tuple(found))
    unmet = table.unmet(wanted)
    for place, cell in enumerate(found):
        assert {key for key, mask in unmet.items() if mask[place]} == {one.need for one in wanted.unmet_by(cell)}
        assert bool(table.meeting(wanted)[place]) == (not wanted.unmet_by(cell))


@given(worlds())
def test_what_is_called_left_is_there_however_those_ahead_are_served(
    world: tuple[CellTable, list[OpenOffer], list[tuple[OpenOrder, int | None]], Draft],
) -> None:
    table, supply, rivals, draft = world
    match = rules.matched(book_of(table, supply, rivals), draft)
    ahead = [
        Rival(
            frozenset(int(cell) for cell in np.flatnonzero(table.meeting(order.needs))),
            order.earliest,
            order.latest,
            order.units,
            hours,
        )
        for order, hours in rivals
        if order.limit_micros >= draft.limit_micros
    ]
    met = frozenset(int(cell) for cell in np.flatnonzero(table.meeting(draft.needs)))
    assert match.units <= least_level(supply, ahead, met, draft, cell_count=len(table.codes))
    assert match.units <= draft.units_max
    assert match.unit_hours <= draft.units_max * (draft.hours or draft.latest - draft.earliest)
    if match.fits and draft.kind is OrderKind.BLOCK:
        assert draft.units_min <= match.units
        assert draft.earliest <= match.start < match.end <= draft.latest


@given(worlds())
def test_without_rivals_everything_that_there_is_is_called_left(
    world: tuple[CellTable, list[OpenOffer], list[tuple[OpenOrder, int | None]], Draft],
) -> None:
    table, supply, _, draft = world
    match = rules.matched(book_of(table, supply, []), draft)
    met = frozenset(int(cell) for cell in np.flatnonzero(table.meeting(draft.needs)))
    level = min(draft.units_max, least_level(supply, [], met, draft, cell_count=len(table.codes)))
    assert match.units == (level if level >= draft.units_min else 0)


@given(worlds())
def test_every_alternative_changes_one_aspect_and_fits_and_every_reason_unlocks_what_it_says(
    world: tuple[CellTable, list[OpenOffer], list[tuple[OpenOrder, int | None]], Draft],
) -> None:
    table, supply, rivals, draft = world
    book = book_of(table, supply, rivals)
    if rules.matched(book, draft).fits:
        return
    found = rules.alternatives(book, draft, highest_micros=5, tick_micros=1)
    assert [one.match.unit_hours for one in found] == sorted((one.match.unit_hours for one in found), reverse=True)
    for one in found:
        # Seen by a book that is built anew, as the next request builds it.
        assert rules.matched(book_of(table, supply, rivals), one.draft) == one.match
        assert one.match.fits
        assert differences(draft, one.draft) <= ALLOWED[one.aspect], one
    offered = {one.aspect for one in found}
    for reason in rules.reasons(book, draft, highest_micros=5):
        if reason.unit_hours and reason.aspect not in {Aspect.MODEL, Aspect.REGION, Aspect.INTERCONNECT}:
            assert reason.aspect in offered, reason


ALLOWED = {aspect: {"needs"} for aspect in Aspect} | {
    Aspect.WINDOW: {"earliest", "latest"},
    Aspect.PRICE: {"limit_micros"},
    Aspect.QUANTITY: {"units_min", "units_max"},
    Aspect.MINIMUM: {"units_min"},
    Aspect.SINGLE_SITE: {"single_site"},
}


def differences(before: Draft, after: Draft) -> set[str]:
    return {name for name in Draft.__dataclass_fields__ if getattr(before, name) != getattr(after, name)}


def test_the_nearest_is_the_least_step_and_reasons_are_ranked_by_what_they_unlock() -> None:
    here = CellAttributes("a", "north", green_percent=40, latency_ms={"bj": 30})
    near = CellAttributes("a", "north", green_percent=60, latency_ms={"bj": 30})
    table = CellTable(("here", "near"), (here, near))
    supply = [OpenOffer(0, 0, 4, 16, 8), OpenOffer(1, 0, 4, 4, 10)]
    draft = Draft(
        kind=OrderKind.BLOCK,
        units_min=4,
        units_max=4,
        hours=4,
        earliest=0,
        latest=4,
        single_site=False,
        limit_micros=9,
        needs=Needs(min_green_percent=80),
    )
    book = Book(Range(0, SLOTS, 1, 1), table, supply, [])
    (green,) = rules.alternatives(book, draft, highest_micros=20, tick_micros=1)
    assert (green.aspect, green.draft.needs.min_green_percent, green.match.units) == (Aspect.GREEN, 40, 4)
    (reason,) = rules.reasons(book, draft, highest_micros=20)
    assert reason.detail == "min_green_pct = 80 excludes 2 of 2 listed cells"
    dearer = replace(draft, needs=Needs(min_green_percent=60))
    found = rules.alternatives(book, dearer, highest_micros=20, tick_micros=1)
    assert [(one.aspect, one.draft.limit_micros) for one in found] == [(Aspect.PRICE, 11), (Aspect.GREEN, 9)]


def test_a_rival_is_outbid_by_one_tick() -> None:
    table = CellTable(("here",), (CellAttributes("a", "north"),))
    rival = OpenOrder(Needs(), 0, 4, 16, 12)
    book = Book(Range(0, SLOTS, 1, 1), table, [OpenOffer(0, 0, 4, 16, 8)], [rival])
    draft = Draft(
        kind=OrderKind.BLOCK, units_min=16, units_max=16, hours=4, earliest=0, latest=4, single_site=True,
        limit_micros=10, needs=Needs(),
    )  # fmt: skip
    (price,) = rules.alternatives(book, draft, highest_micros=20, tick_micros=1)
    assert (price.aspect, price.draft.limit_micros, price.match.units) == (Aspect.PRICE, 13, 16)
