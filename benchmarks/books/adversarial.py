"""Adversarial books: each family presses on one thing that clearing engines get wrong.

A family is a function of a number of orders and a seed. Small ones go through the tests; thousands of orders are
asked for by name. Prices are in micros, with a tick of a thousandth; what a family is after stands in its docstring.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from benchmarks.books.dice import Dice
from exchange.clearing import book as books
from exchange.clearing.book import Attributes, Book, Cell, MaxLatency, Needs, Offer, Order, OrderKind

TICK = 1_000
MOST = 2**63 - 1
SLOTS = 12


@dataclass
class _Draft:
    """A book while it grows; rows get their seq in the order in which they come."""

    grid: int = 1
    cells: list[Cell] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    budgets: dict[str, int] = field(default_factory=dict)
    seq: int = 0

    def cell(self, name: str, **attributes: object) -> str:
        values: dict[str, object] = {"model": "card", "mem_gb": 80, "security": 2, "latency_ms": {"metro": 10}}
        self.cells.append(Cell(name, f"site of {name}", Attributes(**(values | attributes))))  # type: ignore[arg-type]
        return name

    def offer(self, cell: str, *, qty: int, reserve: int, t0: int = 0, t1: int = SLOTS) -> None:
        self.seq += 1
        name = f"s{len(self.offers):05d}"
        self.offers.append(Offer(name, f"p{len(self.offers) % 7}", cell, t0, t1, qty, reserve, self.seq))

    def hourly(
        self,
        *,
        qty: int,
        limit: int,
        t0: int = 0,
        t1: int = SLOTS,
        buyer: str | None = None,
        needs: Needs | None = None,
        single_site: bool = False,
    ) -> None:
        self._order(
            OrderKind.HOURLY, buyer, qmax=qty, limit=limit, earliest=t0, latest=t1, needs=needs, single_site=single_site
        )

    def block(
        self,
        *,
        qty: int,
        limit: int,
        least: int | None = None,
        t0: int = 0,
        t1: int = SLOTS,
        hours: int | None = None,
        single_site: bool = False,
        needs: Needs | None = None,
        buyer: str | None = None,
    ) -> None:
        self._order(
            OrderKind.BLOCK,
            buyer,
            qmax=qty,
            qmin=qty if least is None else least,
            limit=limit,
            earliest=t0,
            latest=t1,
            hours=t1 - t0 if hours is None else hours,
            needs=needs,
            single_site=single_site,
        )

    def _order(
        self,
        kind: OrderKind,
        buyer: str | None,
        *,
        qmax: int,
        limit: int,
        earliest: int,
        latest: int,
        needs: Needs | None,
        single_site: bool,
        qmin: int = 0,
        hours: int = 0,
    ) -> None:
        self.seq += 1
        place = len(self.orders)
        self.orders.append(
            Order(
                id=f"b{place:05d}",
                buyer=buyer or f"u{place % 11}",
                seq=self.seq,
                kind=kind,
                qmax=qmax,
                limit=limit,
                earliest=earliest,
                latest=latest,
                qmin=qmin,
                hours=hours,
                single_site=single_site,
                needs=needs or Needs(),
            )
        )

    def book(self) -> Book:
        return books.canonical(
            Book(tuple(self.cells), tuple(self.offers), tuple(self.orders), dict(self.budgets), self.grid)
        )


def all_ties(orders: int, seed: int) -> Book:
    """One limit, one reserve, one seq for all: only ids tell the rows apart, and a solver's choice shows at once."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(3)]
    for place in range(max(3, orders // 8)):
        draft.offer(cells[place % 3], qty=4, reserve=1_000 * TICK)
    for _ in range(orders):
        _any_order(draft, dice, limit=1_500 * TICK)
    draft.offers = [replace(offer, seq=1) for offer in draft.offers]
    draft.orders = [replace(order, seq=1) for order in draft.orders]
    return draft.book()


def giant(orders: int, seed: int) -> Book:
    """One all-or-none block takes all supply or none, against a crowd that is worth a little more or a little less."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(4)]
    supply = max(8, orders)
    for place in range(supply // 4):
        draft.offer(cells[place % 4], qty=4, reserve=(800 + dice.below(200)) * TICK)
    draft.block(qty=supply // 4 * 4, limit=1_200 * TICK)
    for _ in range(orders - 1):
        draft.hourly(qty=1, limit=(1_100 + dice.below(200)) * TICK)
    return draft.book()


def chained(orders: int, seed: int) -> Book:
    """Every order accepts two neighbouring cells, so the whole book is one component without being a crowd."""
    dice, draft = Dice(seed), _Draft()
    count = max(2, orders // 6)
    cells = [draft.cell(f"c{place:04d}", mem_gb=place + 1, model=f"m{place}") for place in range(count)]
    for cell in cells:
        for step in range(2):
            draft.offer(cell, qty=3, reserve=(500 + 300 * step + dice.below(200)) * TICK)
    for place in range(orders):
        first = place % (count - 1)
        needs = Needs(model=(f"m{first}", f"m{first + 1}"))
        _any_order(draft, dice, limit=(600 + dice.below(900)) * TICK, needs=needs)
    return draft.book()


def zero_surplus(orders: int, seed: int) -> Book:
    """Limits equal reserves to the micro: every trade is worth nothing, and one price alone is legal."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(3)]
    for place in range(max(3, orders // 6)):
        draft.offer(cells[place % 3], qty=dice.between(1, 6), reserve=1_000 * TICK)
    for _ in range(orders):
        _any_order(draft, dice, limit=1_000 * TICK)
    return draft.book()


def tick_edges(orders: int, seed: int) -> Book:
    """Limits and reserves lie on, one tick above or one tick below each other, so every rounding shows."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(3)]
    for place in range(max(3, orders // 6)):
        draft.offer(cells[place % 3], qty=dice.between(1, 6), reserve=(1_000 + dice.between(-1, 1)) * TICK)
    for _ in range(orders):
        _any_order(draft, dice, limit=(1_000 + dice.between(-1, 2)) * TICK)
    return draft.book()


def beyond_floats(orders: int, seed: int) -> Book:
    """Quantity times price times hours passes 2^53 in every order while each number alone is small enough."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(2)]
    for place in range(max(2, orders // 6)):
        draft.offer(cells[place % 2], qty=2**22 + dice.below(64), reserve=2**30 + dice.below(2**20))
    for _ in range(orders):
        _any_order(draft, dice, limit=2**30 + dice.below(2**21), scale=2**20)
    return draft.book()


def near_int64(orders: int, seed: int) -> Book:
    """Payments lie around 2^63: a sum in 64 bits wraps, a float loses the last thousand micros."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(2)]
    for place in range(max(2, orders // 6)):
        draft.offer(cells[place % 2], qty=2**21 + dice.below(8), reserve=2**40 + dice.below(2**12))
    for _ in range(orders):
        _any_order(draft, dice, limit=2**40 + dice.below(2**13), scale=2**19)
    return draft.book()


def maximum_limits(orders: int, seed: int) -> Book:
    """Every number is at its maximum at once: quantities, limits and reserves within a few of 2^63 - 1."""
    dice, draft = Dice(seed), _Draft()
    cell = draft.cell("c0")
    for _ in range(max(2, orders // 4)):
        draft.offer(cell, qty=MOST - dice.below(3), reserve=MOST - dice.between(2, 9))
    for place in range(orders):
        limit, qty = MOST - dice.below(5), MOST - dice.below(4)
        if place % 2:
            draft.block(qty=qty, limit=limit, single_site=place % 4 == 1)
        else:
            draft.hourly(qty=qty, limit=limit)
    return draft.book()


def dear_and_cheap(orders: int, seed: int) -> Book:
    """Splittable min-fill blocks reach their minimum only with cards far above their limit, carried by cheap ones."""
    dice, draft = Dice(seed), _Draft()
    for group in range(max(1, orders // 8)):
        cheap = draft.cell(f"cheap{group:04d}", model=f"m{group}")
        dear = draft.cell(f"dear{group:04d}", model=f"m{group}")
        for cell, low in ((cheap, 200), (dear, 1_500)):
            for _ in range(2):
                draft.offer(cell, qty=dice.between(2, 5), reserve=(low + dice.below(300)) * TICK)
    groups = max(1, orders // 8)
    for place in range(orders):
        least = dice.between(3, 6)
        draft.block(
            qty=least + dice.below(3),
            least=least,
            limit=(700 + dice.below(500)) * TICK,
            t1=SLOTS // 2 if place % 3 else SLOTS,
            needs=Needs(model=(f"m{place % groups}",)),
        )
    return draft.book()


def budgets(orders: int, seed: int) -> Book:
    """Every buyer may pay about half of what its orders would, so budgets bind and the market is not convex."""
    dice, draft = Dice(seed), _Draft()
    cells = [draft.cell(f"c{place}") for place in range(3)]
    buyers = max(2, orders // 4)
    for place in range(max(3, orders // 4)):
        draft.offer(cells[place % 3], qty=dice.between(1, 4), reserve=(400 + dice.below(400)) * TICK)
    for place in range(orders):
        _any_order(draft, dice, limit=(700 + dice.below(600)) * TICK, buyer=f"u{place % buyers}")
    for buyer in range(buyers):
        worst = sum(
            order.limit * order.qmax * (order.hours or order.latest - order.earliest)
            for order in draft.orders
            if order.buyer == f"u{buyer}"
        )
        draft.budgets[f"u{buyer}"] = worst * dice.between(20, 60) // 100
    return draft.book()


def paradox(orders: int, seed: int) -> Book:
    """Ten cards all-or-none at 5 over five at 1 and five at 8, many times: worth 5 each, and no price carries it.

    The other half of the orders are small ones which may take the cheap cards instead, so a priced optimum exists.
    """
    dice, draft = Dice(seed), _Draft()
    for place in range(max(1, orders // 2)):
        cell = draft.cell(f"c{place:04d}", model=f"m{place}")
        needs = Needs(model=(f"m{place}",))
        draft.offer(cell, qty=5, reserve=TICK)
        draft.offer(cell, qty=5, reserve=8 * TICK)
        draft.block(qty=10, limit=5 * TICK, needs=needs)
        if orders > 1:
            draft.hourly(qty=dice.between(1, 5), limit=dice.between(1, 9) * TICK, needs=needs)
    return draft.book()


def every_kind(orders: int, seed: int) -> Book:
    """Every order type, need and odd window there is, on a grid of two hours, in no proportion that a market has."""
    dice, draft = Dice(seed), _Draft(grid=2)
    cells = [
        draft.cell(
            f"c{place}", model=f"m{place % 2}", mem_gb=40 * (1 + place % 3), latency_ms={"metro": 10 + 10 * place}
        )
        for place in range(4)
    ]
    for place in range(max(4, orders // 4)):
        t0 = 2 * dice.below(SLOTS // 2)
        t1 = 2 * dice.between(t0 // 2 + 1, SLOTS // 2)
        draft.offer(cells[place % 4], qty=dice.between(1, 9), reserve=(300 + dice.below(600)) * TICK, t0=t0, t1=t1)
    wishes = [
        Needs(),
        Needs(model=("m0",)),
        Needs(min_mem_gb=80),
        Needs(max_latency=MaxLatency("metro", 25)),
        Needs(min_security=2, min_green_pct=1),  # no cell states a green share: never met
    ]
    for place in range(orders):
        needs, limit = dice.pick(wishes), (400 + dice.below(800)) * TICK
        if place % 7 == 0:
            draft.hourly(qty=dice.between(1, 4), limit=limit, needs=needs, single_site=True)
        else:
            _any_order(draft, dice, limit=limit, needs=needs)
    return draft.book()


FAMILIES: dict[str, Callable[[int, int], Book]] = {
    family.__name__: family
    for family in (
        all_ties,
        giant,
        chained,
        zero_surplus,
        tick_edges,
        beyond_floats,
        near_int64,
        maximum_limits,
        dear_and_cheap,
        budgets,
        paradox,
        every_kind,
    )
}


def _any_order(
    draft: _Draft, dice: Dice, *, limit: int, needs: Needs | None = None, buyer: str | None = None, scale: int = 1
) -> None:
    """Add an order of any kind: hourly, fixed or flexible, all-or-none or min-fill, splittable or single-site."""
    steps = SLOTS // draft.grid
    begin = dice.below(steps)
    t0, t1 = draft.grid * begin, draft.grid * dice.between(begin + 1, steps)
    qty = scale * dice.between(1, 6)
    kind = dice.below(5)
    if kind == 0:
        draft.hourly(qty=qty, limit=limit, t0=t0, t1=t1, needs=needs, buyer=buyer)
        return
    draft.block(
        qty=qty,
        limit=limit,
        least=max(1, qty // 2) if kind in (1, 4) else qty,
        t0=t0,
        t1=t1,
        hours=draft.grid * dice.between(1, (t1 - t0) // draft.grid) if kind in (3, 4) else t1 - t0,
        single_site=kind in (2, 3),
        needs=needs,
        buyer=buyer,
    )
