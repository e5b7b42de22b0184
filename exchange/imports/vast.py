"""Reads asks of the Vast marketplace, one CSV file a day, as offers of single machines.

A row prices the whole offer, so the reserve is its hourly price divided by its cards. The same machine stands
in a file several times, cut into offers of different sizes: the largest is the machine. A machine that stands
in the files of several days is one machine listed again: its first day decides.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

from accounts.foundation import strict
from catalog.measures.price import MICROS
from catalog.measures.rounding import half_up_exact
from catalog.offerings.rules import Fabric
from exchange.imports import places, tables
from exchange.imports.errors import CellRefused, NothingToImport
from exchange.imports.places import Place
from exchange.imports.tables import Problems, Row

CURRENCY: Final = "USD"
MAX_CARDS: Final = 64
MAX_ID: Final = 10**15
MAX_PRICE: Final = Decimal(100_000)
MAX_GBPS: Final = Decimal(1_000_000)
MAX_MEMORY_MIB: Final = 1_000_000
COLUMNS: Final = (
    "day",
    "id",
    "machine_id",
    "host_id",
    "num_gpus",
    "gpu_name",
    "gpu_ram",
    "dph_base",
    "storage_cost",
    "inet_up_cost",
    "inet_down_cost",
    "reliability2",
    "verification",
    "geolocation",
    "end_date",
    "bw_nvlink",
    "rentable",
)
# The marketplace's name -> our resource types by memory in GB.
MODELS: Final[Mapping[str, Mapping[int, str]]] = {
    "A10": {24: "a10"},
    "A100 PCIE": {40: "a100-pcie-40", 80: "a100-pcie-80"},
    "A100 SXM4": {40: "a100-sxm-40", 80: "a100-sxm-80"},
    "B200": {180: "b200"},
    "H100 PCIE": {80: "h100-pcie"},
    "H100 SXM": {80: "h100-sxm"},
    "H200": {141: "h200-sxm"},
    "H200 NVL": {141: "h200-nvl"},
    "L4": {24: "l4"},
    "L40S": {48: "l40s"},
    "RTX 4090": {24: "rtx-4090", 48: "rtx-4090-48"},
    "Tesla T4": {16: "t4"},
    "Tesla V100": {16: "v100-sxm2-16", 32: "v100-sxm2-32"},
}
VERIFICATIONS: Final = ("verified", "unverified", "deverified")
# Drivers report up to this much less than the nominal memory (error correction takes its share).
_MEMORY_TOLERANCE_PERCENT: Final = 10


@dataclass(frozen=True, slots=True)
class ParsedOffer:
    """One machine to be offered: whole cards from an instant until its host takes it back.

    Prices are USD micros: the reserve per card-hour, storage per GB-month, traffic per GB.
    """

    day: date
    ask_id: int
    machine_id: int
    host_id: int
    resource_type: str
    cards: int
    fabric: Fabric
    reserve_micros: int
    storage_micros: int
    egress_micros: int
    ingress_micros: int
    place: Place
    available_from: datetime
    available_until: datetime
    reliability: str
    verification: str


@dataclass(frozen=True, slots=True)
class ParsedOffers:
    """What the files hold: offers by first day and machine, the days seen, and what was left out and why."""

    offers: tuple[ParsedOffer, ...]
    days: tuple[date, ...]
    rows: int
    left_out: Mapping[str, int]
    currency: str = CURRENCY


def parse_vast(files: Sequence[Path]) -> ParsedOffers:
    """Read files of asks. Raises FileRefused naming every wrong place, NothingToImport when no ask is left."""
    problems = Problems()
    asks: list[ParsedOffer] = []
    days: set[date] = set()
    left_out: Counter[str] = Counter()
    rows = 0
    for path in files:
        for row in tables.read(path, COLUMNS, problems):
            rows += 1
            try:
                ask = _ask(row)
            except CellRefused as refused:
                problems.add(refused.problem)
                continue
            days.add(ask.day)
            if row.cells["rentable"] != "True":
                left_out["not rentable"] += 1
            elif ask.available_until <= ask.available_from:
                left_out["ends on its first day"] += 1
            else:
                asks.append(ask)
    problems.check()
    offers = tuple(_machines(asks, left_out))
    if not offers:
        raise NothingToImport("offer")
    return ParsedOffers(offers, tuple(sorted(days)), rows, dict(sorted(left_out.items())))


def _machines(asks: Sequence[ParsedOffer], left_out: Counter[str]) -> Iterator[ParsedOffer]:
    """Yield each machine once: its first day, there its largest ask, of equal ones the cheapest, then the lowest id."""
    listed: dict[int, date] = {}
    for ask in sorted(asks, key=lambda ask: (ask.day, ask.machine_id, -ask.cards, ask.reserve_micros, ask.ask_id)):
        if ask.machine_id not in listed:
            listed[ask.machine_id] = ask.day
            yield ask
        elif listed[ask.machine_id] == ask.day:
            left_out["part of a machine listed whole"] += 1
        else:
            left_out["machine listed again on a later day"] += 1


def _ask(row: Row) -> ParsedOffer:
    """Read one row. Raises CellRefused."""
    day = _day(row)
    cards = row.whole("num_gpus", minimum=1, maximum=MAX_CARDS)
    price = row.decimal("dph_base", minimum=Decimal("0.000001"), maximum=MAX_PRICE)
    row.choice("rentable", ("True", "False"))
    starts = datetime.combine(day, time(), UTC)
    return ParsedOffer(
        day=day,
        ask_id=row.whole("id", minimum=1, maximum=MAX_ID),
        machine_id=row.whole("machine_id", minimum=1, maximum=MAX_ID),
        host_id=row.whole("host_id", minimum=1, maximum=MAX_ID),
        resource_type=_resource_type(row),
        cards=cards,
        fabric=Fabric.NVLINK if row.decimal("bw_nvlink", maximum=MAX_GBPS) else Fabric.ETHERNET,
        reserve_micros=max(1, half_up_exact(Fraction(price) * MICROS / cards)),
        storage_micros=_micros(row, "storage_cost"),
        egress_micros=_micros(row, "inet_up_cost"),
        ingress_micros=_micros(row, "inet_down_cost"),
        place=_place(row),
        available_from=starts,
        available_until=max(starts, _end(row)),
        reliability=str(row.decimal("reliability2", maximum=Decimal(1)).quantize(Decimal("0.0001"), ROUND_HALF_UP)),
        verification=row.choice("verification", VERIFICATIONS),
    )


def _day(row: Row) -> date:
    try:
        return strict.calendar_date(row.cells["day"])
    except strict.Mismatch:
        raise row.refused("day", "a date between the years 2020 and 2100, such as 2026-02-27") from None


def _micros(row: Row, column: str) -> int:
    """Read a price in USD as micros, rounded once."""
    return half_up_exact(Fraction(row.decimal(column, maximum=MAX_PRICE)) * MICROS)


def _end(row: Row) -> datetime:
    """Read the end as seconds since 1970, down to the whole hour: the last hour must be there entirely."""
    earliest, latest = (Decimal(int(instant.timestamp())) for instant in (strict.EARLIEST, strict.LATEST))
    seconds = row.decimal("end_date", minimum=earliest, maximum=latest - 1)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=int(seconds) // 3600)


def _resource_type(row: Row) -> str:
    name = row.choice("gpu_name", tuple(MODELS))
    memory_mib = row.whole("gpu_ram", minimum=1, maximum=MAX_MEMORY_MIB)
    for nominal_gb, resource_type in MODELS[name].items():
        if abs(memory_mib - nominal_gb * 1024) * 100 <= nominal_gb * 1024 * _MEMORY_TOLERANCE_PERCENT:
            return resource_type
    nominal = " or ".join(f"{gb * 1024}" for gb in MODELS[name])
    raise row.refused("gpu_ram", f"about {nominal} MiB for a {name}")


def _place(row: Row) -> Place:
    place = places.parse(row.cells["geolocation"])
    if place is None:
        raise row.refused("geolocation", 'a place such as "Texas, US" or nothing')
    return place
