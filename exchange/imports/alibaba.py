"""Reads the pods of the Alibaba GPU cluster trace of 2023 as orders.

A pod says how many GPUs it asked for and how long it lived; it says neither what it would have paid nor, mostly,
which model it needed. Arrival, cards and hours come from the trace; kind, needs, buyer and limit price are drawn,
seeded by the pod's name, from distributions that the reference documentation states. Every limit is synthetic.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Final

from catalog.measures.rounding import half_up_exact
from catalog.offerings.needs import Needs
from exchange.imports import tables
from exchange.imports.draws import Draws
from exchange.imports.errors import CellRefused, NothingToImport
from exchange.imports.tables import Problems, Row
from exchange.orders.rules import LimitSource, OrderKind

CURRENCY: Final = "USD"
COLUMNS: Final = ("name", "num_gpu", "gpu_milli", "gpu_spec", "creation_time", "deletion_time", "scheduled_time")
MAX_SECONDS: Final = 10**9
HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
TICK_MICROS: Final = 1_000

# The trace's names of models -> ours; its others (P100, G2, G3) have no counterpart.
MODELS: Final[Mapping[str, str]] = {
    "A10": "a10",
    "T4": "t4",
    "V100M16": "v100-sxm2-16",
    "V100M32": "v100-sxm2-32",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A model that orders have in mind: memory in GB, dense TFLOPS, and what a card-hour of it goes for."""

    model: str
    memory_gb: int
    tflops: int
    anchor_micros: int


# With the share of orders, in per cent, that have each in mind.
REFERENCES: Final = (
    (Reference("rtx-4090", 24, 165, 360_000), 26),
    (Reference("v100-sxm2-32", 32, 125, 300_000), 18),
    (Reference("h100-sxm", 80, 989, 2_100_000), 16),
    (Reference("h200-sxm", 141, 989, 2_650_000), 12),
    (Reference("l40s", 48, 362, 900_000), 12),
    (Reference("a100-pcie-80", 80, 312, 1_400_000), 10),
    (Reference("a100-pcie-40", 40, 312, 1_100_000), 6),
)


class Shape(StrEnum):
    """How an order's cards and hours hang together."""

    HOURLY = "hourly"
    SPLITTABLE = "splittable"
    FIXED = "fixed"
    FLEXIBLE = "flexible"


SHAPES: Final = ((Shape.HOURLY, 35), (Shape.SPLITTABLE, 25), (Shape.FIXED, 20), (Shape.FLEXIBLE, 20))
# The share of orders, in per cent, whose cards are multiplied by 2 to 32: the trace alone asks for single cards.
LARGE_PERCENT: Final[Mapping[Shape, int]] = {
    Shape.HOURLY: 12,
    Shape.SPLITTABLE: 12,
    Shape.FIXED: 60,
    Shape.FLEXIBLE: 35,
}
MAX_DOUBLINGS: Final = 5
MAX_CARDS: Final = 64
MAX_HOURLY_HOURS: Final = 12
MAX_SLACK_HOURS: Final = 24
NAMES_MODEL_PERCENT: Final = 33
TFLOPS_SHARE_PERCENT: Final = 80
LONG_PERCENT: Final = 50
LONG_HOURS: Final = (Decimal("1.8"), Decimal("0.9"))  # mean and deviation of the logarithm
LIMIT: Final = (Decimal("-0.10"), Decimal("0.35"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How pods become orders: onto how many days, from which seed, of how many buyers.

    `notice_hours` lie between an arrival and the first delivery; `at_most` thins the pods out evenly. Without the
    mixture cards and hours are the trace's own, which makes a market of single cards for single hours.
    """

    days: int
    seed: int
    buyers: int = 24
    notice_hours: int = 3
    at_most: int | None = None
    mixture: bool = True

    @property
    def hours(self) -> int:
        """The hours that can be delivered."""
        return self.days * 24


@dataclass(frozen=True, slots=True)
class Pod:
    """One row of the trace that asks for GPUs; times in seconds since the trace's unknown start."""

    name: str
    cards: int
    models: tuple[str, ...]
    created_second: int
    lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """One order to be placed: hours count from the start of the simulated days, the limit is USD micros.

    `arrives_after` is when its buyer comes to the market; a block has `quantity_min` and `hours`.
    """

    pod: str
    buyer: int
    arrives_after: timedelta
    kind: OrderKind
    quantity_min: int | None
    quantity_max: int
    hours: int | None
    earliest_hour: int
    latest_hour: int
    single_site: bool
    needs: Needs
    limit_micros: int
    limit_source: LimitSource = LimitSource.SYNTHETIC

    @property
    def unit_hours(self) -> int:
        """The most card-hours that can be delivered."""
        return self.quantity_max * (self.hours or self.latest_hour - self.earliest_hour)


@dataclass(frozen=True, slots=True)
class ParsedOrders:
    """What the file holds on the plan: orders by arrival, and what was left out and why."""

    orders: tuple[ParsedOrder, ...]
    plan: Plan
    rows: int
    left_out: Mapping[str, int]
    currency: str = CURRENCY


def parse_alibaba(file: Path, plan: Plan) -> ParsedOrders:
    """Read a file of pods. Raises FileRefused naming every wrong place, NothingToImport when no order is left."""
    left_out: Counter[str] = Counter()
    rows, pods = _pods(file, left_out)
    window_start = _busiest_window(pods, plan.days * DAY_SECONDS)
    chosen = [pod for pod in pods if 0 <= pod.created_second - window_start < plan.days * DAY_SECONDS]
    left_out["outside the busiest days"] = len(pods) - len(chosen)
    thinned = _thinned(chosen, plan.at_most)
    left_out["thinned out"] = len(chosen) - len(thinned)
    orders = tuple(
        order for pod in thinned if (order := _order(pod, pod.created_second - window_start, plan)) is not None
    )
    left_out["arrives too late to be delivered"] = len(thinned) - len(orders)
    if not orders:
        raise NothingToImport("order")
    return ParsedOrders(orders, plan, rows, {reason: count for reason, count in sorted(left_out.items()) if count})


# --- The trace -----------------------------------------------------------------------------------


def _pods(file: Path, left_out: Counter[str]) -> tuple[int, list[Pod]]:
    """Return how many rows the file has and the pods that ask for GPUs, by creation and name."""
    problems = Problems()
    rows = 0
    pods: dict[str, Pod] = {}
    for row in tables.read(file, COLUMNS, problems):
        rows += 1
        try:
            pod = _pod(row)
            if pod.name in pods:
                raise row.refused("name", "each pod once")
        except CellRefused as refused:
            problems.add(refused.problem)
            continue
        if not pod.cards:
            left_out["asks for no GPU"] += 1
        elif row.cells["gpu_spec"] and not pod.models:
            left_out["accepts only models that nobody lists"] += 1
        else:
            pods[pod.name] = pod
    problems.check()
    return rows, sorted(pods.values(), key=lambda pod: (pod.created_second, pod.name))


def _pod(row: Row) -> Pod:
    """Read one row; a share of a card counts as a card. Raises CellRefused."""
    created = row.whole("creation_time", maximum=MAX_SECONDS)
    deleted = row.whole("deletion_time", minimum=created, maximum=MAX_SECONDS)
    # A pod that was never scheduled waited all its life for what it asked for.
    scheduled = row.whole("scheduled_time", maximum=MAX_SECONDS) if row.cells["scheduled_time"] else created
    row.whole("gpu_milli", maximum=1000)
    name = row.cells["name"]
    if not name or not name.isprintable():
        raise row.refused("name", "a name")
    specified = row.cells["gpu_spec"].split("|")
    return Pod(
        name=name,
        cards=row.whole("num_gpu", maximum=1024),
        models=tuple(sorted({MODELS[spec] for spec in specified if spec in MODELS})),
        created_second=created,
        lifetime_seconds=max(0, deleted - scheduled),
    )


def _busiest_window(pods: Sequence[Pod], length_seconds: int) -> int:
    """Return the second at which the window of that length with the most pods starts; the earliest of equals.

    A busiest window starts with a pod: one that does not can be moved up to its first pod without losing any.
    """
    seconds = [pod.created_second for pod in pods]
    best, most = 0, 0
    for index, second in enumerate(seconds):
        count = bisect_left(seconds, second + length_seconds) - index
        if count > most:
            best, most = second, count
    return best


def _thinned(pods: Sequence[Pod], at_most: int | None) -> list[Pod]:
    """Return at most so many of the pods, evenly spread."""
    if at_most is None or len(pods) <= at_most:
        return list(pods)
    return [pods[index * len(pods) // at_most] for index in range(at_most)]


# --- From a pod to an order ----------------------------------------------------------------------


def _order(pod: Pod, arrives_second: int, plan: Plan) -> ParsedOrder | None:
    """Return the pod's order; None when it arrives too late for a single hour."""
    draws = Draws(plan.seed, pod.name)
    shape = draws.choice("shape", SHAPES)
    earliest = -(-arrives_second // HOUR_SECONDS) + plan.notice_hours
    room = plan.hours - earliest
    if room < 1:
        return None
    cards = _cards(pod, shape, draws, plan)
    hours = min(_hours(pod, draws, plan), room, MAX_HOURLY_HOURS if shape is Shape.HOURLY else room)
    slack = min(draws.whole("slack", 1, MAX_SLACK_HOURS), room - hours) if shape is Shape.FLEXIBLE else 0
    reference = draws.choice("reference", REFERENCES)
    is_block = shape is not Shape.HOURLY
    return ParsedOrder(
        pod=pod.name,
        buyer=draws.whole("buyer", 0, plan.buyers - 1),
        arrives_after=timedelta(seconds=arrives_second),
        kind=OrderKind.BLOCK if is_block else OrderKind.HOURLY,
        quantity_min=_quantity_min(cards, shape, draws),
        quantity_max=cards,
        hours=hours if is_block else None,
        earliest_hour=earliest,
        latest_hour=earliest + hours + slack,
        single_site=shape in (Shape.FIXED, Shape.FLEXIBLE),
        needs=_needs(pod, reference, draws),
        limit_micros=_limit_micros(reference, draws),
    )


def _cards(pod: Pod, shape: Shape, draws: Draws, plan: Plan) -> int:
    if plan.mixture and draws.chance("is large", LARGE_PERCENT[shape]):
        return min(MAX_CARDS, pod.cards << draws.whole("doublings", 1, MAX_DOUBLINGS))
    return min(MAX_CARDS, pod.cards)


def _hours(pod: Pod, draws: Draws, plan: Plan) -> int:
    """Return whole hours, rounded up: the pod's own or drawn ones, at most half of the simulated days."""
    hours = -(-pod.lifetime_seconds // HOUR_SECONDS)
    if plan.mixture and draws.chance("is long", LONG_PERCENT):
        hours = int(draws.lognormal("hours", *LONG_HOURS).to_integral_value(ROUND_CEILING))
    return max(1, min(hours, plan.hours // 2))


def _quantity_min(cards: int, shape: Shape, draws: Draws) -> int | None:
    """Return the least that a block takes: all, or half of it; an hourly order takes what it gets."""
    match shape:
        case Shape.HOURLY:
            return None
        case Shape.SPLITTABLE:
            return -(-cards // 2)
        case Shape.FIXED:
            return cards
        case Shape.FLEXIBLE:
            return cards if draws.chance("is all or none", 50) else -(-cards // 2)


def _needs(pod: Pod, reference: Reference, draws: Draws) -> Needs:
    if pod.models:
        return Needs(models=pod.models)
    if draws.chance("names a model", NAMES_MODEL_PERCENT):
        return Needs(models=(reference.model,))
    return Needs(
        min_memory_gb=reference.memory_gb,
        min_tflops=reference.tflops * TFLOPS_SHARE_PERCENT // 100,
    )


def _limit_micros(reference: Reference, draws: Draws) -> int:
    """Return the synthetic limit: the reference model's anchor times a lognormal factor, in whole ticks."""
    exact = Fraction(reference.anchor_micros) * Fraction(draws.lognormal("limit", *LIMIT))
    return max(1, half_up_exact(exact / TICK_MICROS)) * TICK_MICROS
