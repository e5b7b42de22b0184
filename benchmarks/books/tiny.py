"""Generated books that are small enough to enumerate, by family."""

from dataclasses import dataclass, replace

from benchmarks.books.dice import Dice
from exchange.clearing import parsing
from exchange.clearing.book import Attributes, Book, Cell, MaxLatency, Needs, Offer, Order, OrderKind


@dataclass(frozen=True)
class Shape:
    """How a family's books lean; chances in percent."""

    cells: int = 3
    slots: int = 6
    offers: int = 6
    fewest_offers: int = 2
    orders: int = 6
    fewest_orders: int = 2
    cards: int = 4
    prices: int = 12
    blocks: int = 65
    all_or_none: int = 50
    single_site: int = 50
    fixed: int = 50
    single_hourly: int = 0
    budgets: int = 0
    unit: int = 1_000
    fewest_cards: int = 1
    steep: bool = False
    base: int = 0  # added to every price


SHAPES = {
    "mixed": Shape(),
    "steep": Shape(cells=2, slots=3, offers=7, cards=3, prices=20, blocks=75, all_or_none=85, single_site=70, fixed=70),
    "ties": Shape(cells=2, slots=3, prices=3, cards=3),
    "budgets": Shape(cells=2, slots=3, orders=5, cards=3, budgets=60),
    "single_hourly": Shape(cells=2, slots=3, orders=5, cards=3, blocks=45, single_hourly=50),
    "mixes": Shape(cells=3, slots=2, offers=6, orders=5, blocks=80, all_or_none=40, single_site=10, prices=16),
    "flexible": Shape(cells=2, slots=6, orders=5, cards=2, fixed=10, blocks=80, all_or_none=70),
    "paradox": Shape(
        cells=2,
        slots=2,
        offers=7,
        fewest_offers=5,
        fewest_orders=5,
        prices=30,
        blocks=85,
        all_or_none=90,
        single_site=60,
        fixed=80,
    ),
    "crowded": Shape(
        cells=2,
        slots=3,
        offers=8,
        fewest_offers=6,
        fewest_orders=6,
        cards=3,
        prices=25,
        blocks=50,
        all_or_none=95,
        single_site=80,
        fixed=70,
    ),
    "binding": Shape(
        cells=2,
        slots=3,
        offers=7,
        fewest_offers=5,
        orders=6,
        fewest_orders=4,
        cards=4,
        fewest_cards=2,
        prices=12,
        blocks=75,
        all_or_none=90,
        single_site=60,
        fixed=70,
        steep=True,
    ),
    "binding_windows": Shape(
        cells=1,
        slots=4,
        offers=7,
        fewest_offers=4,
        orders=6,
        fewest_orders=4,
        cards=4,
        fewest_cards=2,
        prices=12,
        blocks=85,
        all_or_none=90,
        single_site=50,
        fixed=35,
        steep=True,
    ),
    "close_numbers": Shape(cells=2, slots=3, orders=5, cards=3, blocks=75, all_or_none=80, unit=1, base=2**62),
    "large_numbers": Shape(cells=2, slots=3, orders=5, cards=3, prices=10**15, unit=1),
}

FAMILIES = tuple(SHAPES)

# Steep supply in few cells and mostly all-or-none blocks, so that uniform prices bind and cost welfare.
HARD = ("steep", "paradox", "binding", "binding_windows")


def book(family: str, seed: int) -> Book:
    """Return the book of a family and seed."""
    return _drawn(SHAPES[family], Dice(seed * 1_000_003 + FAMILIES.index(family)))


def shaped(shape: Shape, *, orders: int, offers: int, seed: int) -> Book:
    """Return a book of a shape with so many orders and offers, which need not be tiny."""
    exact = replace(shape, orders=orders, fewest_orders=orders, offers=offers, fewest_offers=offers)
    return _drawn(exact, Dice(seed))


def _drawn(shape: Shape, dice: Dice) -> Book:
    grid = 2 if shape.slots % 2 == 0 and dice.chance(15) else 1
    cells = [_cell(index) for index in range(dice.between(1, shape.cells))]
    slots = grid * dice.between(1, shape.slots // grid)
    offers = [
        _offer(index, dice, shape, cells=len(cells), slots=slots, grid=grid)
        for index in range(dice.between(shape.fewest_offers, shape.offers))
    ]
    orders = [
        _order(index, dice, shape, cells=len(cells), slots=slots, grid=grid)
        for index in range(dice.between(shape.fewest_orders, shape.orders))
    ]
    budgets = {
        f"u{index}": dice.between(1, shape.cards * slots * shape.prices // 2) * shape.unit
        for index in range(3)
        if dice.chance(shape.budgets)
    }
    return parsing.make_book(cells=cells, offers=offers, orders=orders, budgets=budgets, grid=grid)


def _cell(index: int) -> Cell:
    return Cell(
        f"c{index}",
        f"site{index}",
        Attributes(
            model=f"m{index}",
            mem_gb=16 * (index + 1),
            tflops=100 * (index + 1),
            region="north" if index == 0 else "south",
            green_pct=None if index == 0 else 40,  # what a cell does not state it does not have
            security=2,
            interconnect="ib",
            latency_ms={"metro": 10 * (3 - index)},
        ),
    )


def _window(dice: Dice, slots: int, grid: int) -> tuple[int, int]:
    if dice.chance(60):
        return 0, slots
    steps = slots // grid
    begin = dice.below(steps)
    return begin * grid, dice.between(begin + 1, steps) * grid


def _offer(index: int, dice: Dice, shape: Shape, *, cells: int, slots: int, grid: int) -> Offer:
    t0, t1 = _window(dice, slots, grid)
    return Offer(
        id=f"s{index}",
        provider=f"p{dice.below(3)}",
        cell=f"c{dice.below(cells)}",
        t0=t0,
        t1=t1,
        qty=dice.between(1, 2 if shape.steep else shape.cards),
        # Steep supply doubles with every offer, so that a wide block pays for the dear cards in all its cards.
        reserve=(2**index if shape.steep else dice.between(0, shape.prices)) * shape.unit + shape.base,
        seq=dice.between(1, 9),
    )


def _order(index: int, dice: Dice, shape: Shape, *, cells: int, slots: int, grid: int) -> Order:
    earliest, latest = _window(dice, slots, grid)
    qmax = dice.between(shape.fewest_cards, shape.cards)
    order = Order(
        id=f"b{index}",
        buyer=f"u{dice.below(3)}",
        seq=dice.between(1, 9),
        kind=OrderKind.HOURLY,
        qmax=qmax,
        limit=dice.between(0, shape.prices + shape.prices // 4) * shape.unit + shape.base,
        earliest=earliest,
        latest=latest,
        single_site=dice.chance(shape.single_hourly),
        needs=_needs(dice, cells),
    )
    if not dice.chance(shape.blocks):
        return order
    window = latest - earliest
    return replace(
        order,
        kind=OrderKind.BLOCK,
        qmin=qmax if dice.chance(shape.all_or_none) else dice.between(1, qmax),
        hours=window if dice.chance(shape.fixed) else grid * dice.between(1, window // grid),
        single_site=dice.chance(shape.single_site),
    )


def _needs(dice: Dice, cells: int) -> Needs:
    """Draw what most orders of a market ask for, and now and then something odd."""
    if dice.chance(50):
        return Needs()
    if dice.chance(40):
        return Needs(min_mem_gb=16 * dice.between(1, cells))
    if dice.chance(60):
        models = tuple(sorted({f"m{dice.below(cells)}", f"m{dice.below(cells)}"}))
        return Needs(model=models)
    return dice.pick(
        (
            Needs(region=("south",)),
            Needs(min_tflops=200, interconnect=("eth", "ib")),
            Needs(min_green_pct=30),
            Needs(min_security=2, max_latency=MaxLatency("metro", 20)),
            Needs(max_latency=MaxLatency("elsewhere", 99)),
        )
    )
