"""Realistic books: a published, seeded recipe with the shape of accelerator markets.

Twelve regions in a unit square with latencies by distance, a catalogue of accelerators with anchor prices, hourly and
block demand with a long tail of wide jobs, and supply rescaled to a given tightness. Everything is synthetic: jobs'
widths and lengths follow quantiles of 7,064 GPU pods (alibaba/clusterdata, cluster-trace-gpu-v2023; no row of it),
of which 6,989 ask one card, 16 two, 15 four and 44 eight, and lifetimes have p10/p50/p90/p99 of 0.02/0.15/1.74/31.5
hours. Drawing from the trace alone makes a trivial market; the tail in ``_cards`` and ``_hours`` is what makes it hard.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from benchmarks.books.dice import Dice
from exchange.clearing import book as books
from exchange.clearing.book import Attributes, Book, Cell, MaxLatency, Needs, Offer, Order, OrderKind

# model: memory GB, dense bf16 TFLOPS, anchor in thousandths per card-hour, weight in the supply
MODELS = {
    "B200": (180, 2250, 4700, 3),
    "H200": (141, 990, 2650, 6),
    "H100": (80, 990, 2100, 14),
    "A100-80": (80, 312, 1400, 18),
    "A100-40": (40, 312, 1100, 8),
    "L40S": (48, 362, 900, 10),
    "A6000": (48, 155, 550, 7),
    "A10": (24, 125, 750, 12),
    "L4": (24, 121, 600, 6),
    "V100": (32, 125, 500, 6),
    "RTX4090": (24, 165, 360, 6),
    "T4": (16, 65, 300, 4),
}
WEIGHTED = [model for model, (_, _, _, weight) in MODELS.items() for _ in range(weight)]
REGIONS = 12
TICK = 1_000
MACHINE = 8  # cards
TIGHTNESS = 1.3  # demanded over offered card-hours
LONGEST_HOURLY = 12

# Cards of a pod by how many of the trace's pods ask so many, and lifetimes in hours by the share that is shorter.
TRACE_CARDS = ((1, 6_989), (2, 16), (4, 15), (8, 44))
TRACE_PODS = sum(pods for _, pods in TRACE_CARDS)
TRACE_HOURS = ((0.0, 0.01), (0.1, 0.02), (0.5, 0.15), (0.9, 1.74), (0.99, 31.5), (1.0, 100.0))


@dataclass(frozen=True)
class Size:
    """How large a book is to be: ``slots`` and ``grid`` in hours, ``anywhere`` the percentage without latency needs."""

    orders: int
    offers: int
    slots: int
    grid: int = 1
    anywhere: int = 0


def book(size: Size, seed: int) -> Book:
    """Return the canonical book of a size and seed.

    The rows are built as they are, without the reading and checking of documents, so that 20,000 orders take seconds;
    a test holds smaller books against ``parsing.make_book``.
    """
    dice = Dice(seed)
    places = [(_uniform(dice), _uniform(dice)) for _ in range(REGIONS)]
    cells = _cells(dice, size, places)
    offers = [_offer(dice, size, index, cells) for index in range(size.offers)]
    orders = [_order(dice, size, index) for index in range(size.orders)]
    used = {offer.cell for offer in offers}
    return books.canonical(
        Book(
            cells=tuple(cell for row in cells.values() for cell in row if cell.id in used),
            offers=tuple(_tightened(offers, orders)),
            orders=tuple(orders),
            grid=size.grid,
        )
    )


def _uniform(dice: Dice) -> float:
    return dice.below(2**32) / 2**32


def _log_normal(dice: Dice, mean: float, deviation: float) -> float:
    radius = math.sqrt(-2.0 * math.log(1.0 - _uniform(dice)))
    return math.exp(mean + deviation * radius * math.cos(2.0 * math.pi * _uniform(dice)))


def _beta_2_2(dice: Dice) -> float:
    return sorted(_uniform(dice) for _ in range(3))[1]  # the median of three is distributed so


def _beta_2_1_2(dice: Dice) -> float:
    """Draw from Beta(2, 1.2): a draw from Beta(2, 1), kept with the chance (1 - x)^0.2."""
    while True:
        drawn = math.sqrt(_uniform(dice))
        if _uniform(dice) < math.pow(1.0 - drawn, 0.2):
            return drawn


def _cells(dice: Dice, size: Size, places: list[tuple[float, float]]) -> dict[str, list[Cell]]:
    """Return one cell for each site and model, by model."""
    cells: dict[str, list[Cell]] = {model: [] for model in MODELS}
    for site in range(max(4, size.offers // 6)):
        region = dice.below(REGIONS)
        latency = {
            f"metro{metro}": math.ceil(5 + 120 * math.dist(places[region], places[metro])) for metro in range(REGIONS)
        }
        green = round(100 * _beta_2_2(dice))
        security = dice.between(1, 3)
        for model, (memory, tflops, _, _) in MODELS.items():
            attributes = Attributes(model, memory, tflops, f"region{region}", green, security, "ib", latency)
            cells[model].append(Cell(f"site{site:03d}/{model}", f"site{site:03d}", attributes))
    return cells


def _offer(dice: Dice, size: Size, index: int, cells: dict[str, list[Cell]]) -> Offer:
    model = dice.pick(WEIGHTED)
    steps = size.slots // size.grid
    t0 = 0 if dice.chance(55) else dice.below(steps)
    length = max(1, round(steps * _beta_2_1_2(dice)))
    return Offer(
        id=f"s{index:05d}",
        provider=f"p{dice.below(max(1, size.offers // 4))}",
        cell=dice.pick(cells[model]).id,
        t0=t0 * size.grid,
        t1=min(steps, t0 + length) * size.grid,
        qty=MACHINE * math.ceil(_log_normal(dice, 1.6, 1.0)),
        reserve=TICK * max(1, round(MODELS[model][2] * _log_normal(dice, -0.35, 0.25))),
        seq=index + 1,
    )


def _order(dice: Dice, size: Size, index: int) -> Order:
    kind = dice.below(100)
    model = dice.pick(WEIGHTED)
    hours = _hours(dice, size)
    cards = _cards(dice, wide=60 if 60 <= kind < 80 else 35 if kind >= 80 else 12)
    order = Order(
        id=f"b{index:05d}",
        buyer=f"u{dice.below(max(1, size.orders // 3))}",
        seq=size.offers + index + 1,
        kind=OrderKind.HOURLY if kind < 35 else OrderKind.BLOCK,
        qmax=cards,
        limit=TICK * max(1, round(MODELS[model][2] * _log_normal(dice, -0.10, 0.35))),
        earliest=0,
        latest=size.slots,
        needs=_needs(dice, size, model),
    )
    if kind < 35:
        longest = max(size.grid, LONGEST_HOURLY - LONGEST_HOURLY % size.grid)
        return _placed(dice, size, order, length=min(hours, longest))
    order = replace(order, hours=hours, qmin=cards)
    if kind < 60:
        return _placed(dice, size, replace(order, qmin=max(1, cards // 2)), length=hours)
    if kind < 80:
        return _placed(dice, size, replace(order, single_site=True), length=hours)
    slack = size.grid * dice.between(1, max(1, 24 // size.grid))
    least = cards if dice.chance(50) else max(1, cards // 2)
    return _placed(dice, size, replace(order, qmin=least, single_site=True), length=min(size.slots, hours + slack))


def _placed(dice: Dice, size: Size, order: Order, *, length: int) -> Order:
    start = size.grid * dice.below((size.slots - length) // size.grid + 1)
    return replace(order, earliest=start, latest=start + length)


def _hours(dice: Dice, size: Size) -> int:
    hours = _trace_hours(dice) if dice.chance(50) else _log_normal(dice, 1.8, 0.9)
    return size.grid * math.ceil(min(max(hours, 1.0), size.slots / 2) / size.grid)


def _trace_hours(dice: Dice) -> float:
    at = _uniform(dice)
    for (left, low), (right, high) in pairwise(TRACE_HOURS):
        if at <= right:
            return low * math.pow(high / low, (at - left) / (right - left))
    raise AssertionError("the quantiles end at 1")


def _cards(dice: Dice, *, wide: int) -> int:
    draw = dice.below(TRACE_PODS)
    cards = next(cards for cards, pods in TRACE_CARDS if (draw := draw - pods) < 0)
    return cards * (2 ** dice.between(1, 5) if dice.chance(wide) else 1)


def _needs(dice: Dice, size: Size, model: str) -> Needs:
    memory, tflops, _, _ = MODELS[model]
    reach = dice.pick((25, 40, 60, 80)) if dice.chance(50) else 50
    latency = MaxLatency(f"metro{dice.below(REGIONS)}", reach)
    needs = Needs(
        max_latency=None if dice.chance(size.anywhere) else latency,
        min_green_pct=dice.pick((30, 50)) if dice.chance(20) else None,
        min_security=dice.pick((2, 3)) if dice.chance(15) else None,
    )
    if dice.chance(33):
        return replace(needs, model=(model,))
    return replace(needs, min_mem_gb=memory, min_tflops=tflops * 4 // 5)


def _tightened(offers: list[Offer], orders: list[Order]) -> list[Offer]:
    """Rescale supply in whole machines until demanded over offered card-hours is as near the tightness as it can be.

    No offer goes below one machine, so a book of many offers and few orders stays looser.
    """
    wanted = sum(order.qmax * (order.hours or order.latest - order.earliest) for order in orders) / TIGHTNESS
    # Machines jump one by one as the scale rises; thirty halvings are finer than any jump that matters.
    low, high = 0.0, 1.0 + wanted / sum(offer.qty * (offer.t1 - offer.t0) for offer in offers)
    for _ in range(30):
        middle = (low + high) / 2
        if sum(offer.qty * (offer.t1 - offer.t0) for offer in _scaled(offers, middle)) < wanted:
            low = middle
        else:
            high = middle
    return _scaled(offers, high)


def _scaled(offers: list[Offer], scale: float) -> list[Offer]:
    return [replace(offer, qty=MACHINE * max(1, round(offer.qty * scale / MACHINE))) for offer in offers]
