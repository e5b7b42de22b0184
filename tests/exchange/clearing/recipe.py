"""Realistic books: a published, seeded recipe with the shape of accelerator markets.

Twelve regions in a unit square with latencies by distance, a catalogue of accelerators with anchor prices, hourly and
block demand with a long tail of wide jobs, and supply rescaled to a given tightness. Everything is synthetic: jobs'
widths and lengths follow quantiles of a public trace of 7,064 GPU pods (Alibaba, 2023), in which 98.9 % ask one card,
0.2 % two, 0.2 % four and 0.6 % eight, and lifetimes have p10/p50/p90/p99 of 0.02/0.15/1.74/31.5 hours.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from exchange.clearing import parsing
from exchange.clearing.book import Attributes, Book, Cell, MaxLatency, Needs, Offer, Order, OrderKind
from tests.exchange.clearing.dice import Dice

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
TIGHTNESS = 1.3


@dataclass(frozen=True)
class Size:
    """How large a book is to be."""

    orders: int
    offers: int
    slots: int
    grid: int = 1


def book(size: Size, seed: int) -> Book:
    """Return the book of a size and seed."""
    dice = Dice(seed)
    places = [(_uniform(dice), _uniform(dice)) for _ in range(REGIONS)]
    cells = _cells(dice, size, places)
    offers = [_offer(dice, size, index, cells) for index in range(size.offers)]
    orders = [_order(dice, size, index) for index in range(size.orders)]
    offers = _tightened(offers, orders)
    used = {offer.cell for offer in offers}
    return parsing.make_book(
        cells=[cell for cell in cells if cell.id in used], offers=offers, orders=orders, grid=size.grid
    )


def _uniform(dice: Dice) -> float:
    return dice.below(2**32) / 2**32


def _log_normal(dice: Dice, mean: float, deviation: float) -> float:
    radius = math.sqrt(-2.0 * math.log(1.0 - _uniform(dice)))
    return math.exp(mean + deviation * radius * math.cos(2.0 * math.pi * _uniform(dice)))


def _cells(dice: Dice, size: Size, places: list[tuple[float, float]]) -> list[Cell]:
    cells = []
    for site in range(max(4, size.offers // 6)):
        region = dice.below(REGIONS)
        latency = {
            f"metro{metro}": math.ceil(5 + 120 * math.dist(places[region], places[metro])) for metro in range(REGIONS)
        }
        green = round(100 * sorted(_uniform(dice) for _ in range(3))[1])  # Beta(2, 2) is the median of three
        security = dice.between(1, 3)
        for model, (memory, tflops, _, _) in MODELS.items():
            cells.append(
                Cell(
                    f"site{site:03d}/{model}",
                    f"site{site:03d}",
                    Attributes(model, memory, tflops, f"region{region}", green, security, "ib", latency),
                )
            )
    return cells


def _offer(dice: Dice, size: Size, index: int, cells: list[Cell]) -> Offer:
    model = dice.pick(WEIGHTED)
    cell = dice.pick([cell for cell in cells if cell.attributes.model == model])
    steps = size.slots // size.grid
    t0 = 0 if dice.chance(55) else dice.below(steps)
    length = max(1, round(steps * math.sqrt(_uniform(dice))))
    return Offer(
        id=f"s{index:05d}",
        provider=f"p{dice.below(max(1, size.offers // 4))}",
        cell=cell.id,
        t0=t0 * size.grid,
        t1=min(steps, t0 + length) * size.grid,
        qty=8 * math.ceil(_log_normal(dice, 1.6, 1.0) / 8),
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
        needs=_needs(dice, model),
    )
    if kind < 35:
        return _placed(dice, size, order, length=min(hours, 12 - 12 % size.grid))
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
    steps = math.ceil(min(max(hours, 1.0), size.slots / 2) / size.grid)
    return size.grid * max(1, steps)


def _trace_hours(dice: Dice) -> float:
    at = _uniform(dice)
    points = [(0.0, 0.01), (0.1, 0.02), (0.5, 0.15), (0.9, 1.74), (0.99, 31.5), (1.0, 100.0)]
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low * math.pow(high / low, (at - left) / (right - left))
    return points[-1][1]


def _cards(dice: Dice, *, wide: int) -> int:
    draw = dice.below(1000)
    cards = 1 if draw < 989 else 2 if draw < 991 else 4 if draw < 993 else 8
    return cards * (2 ** dice.between(1, 5) if dice.chance(wide) else 1)


def _needs(dice: Dice, model: str) -> Needs:
    memory, tflops, _, _ = MODELS[model]
    reach = dice.pick((25, 40, 60, 80)) if dice.chance(50) else 50
    needs = Needs(
        max_latency=MaxLatency(f"metro{dice.below(REGIONS)}", reach),
        min_green_pct=dice.pick((30, 50)) if dice.chance(20) else None,
        min_security=dice.pick((2, 3)) if dice.chance(15) else None,
    )
    if dice.chance(33):
        return replace(needs, model=(model,))
    return replace(needs, min_mem_gb=memory, min_tflops=tflops * 4 // 5)


def _tightened(offers: list[Offer], orders: list[Order]) -> list[Offer]:
    """Rescale supply in machines of eight cards until demanded over offered card-hours is the tightness."""
    wanted = sum(order.qmax * (order.hours or order.latest - order.earliest) for order in orders)
    offered = sum(offer.qty * (offer.t1 - offer.t0) for offer in offers)
    scale = wanted / TIGHTNESS / offered
    return [replace(offer, qty=8 * max(1, round(offer.qty * scale / 8))) for offer in offers]
