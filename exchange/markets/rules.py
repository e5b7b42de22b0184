"""Time, price and quantity in a market: the slot grid, gates, tick, collar and lot, as arithmetic on plain values.

A slot is a whole hour, counted from slot zero: local midnight of the market's epoch. Slots are absolute hours,
so a zone's summer time neither repeats nor skips one; a 24-hour grid stays on local days where, as in
Asia/Shanghai, the zone does not change its offset.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from accounts.foundation.errors import FieldProblem
from accounts.foundation.strict import EARLIEST, LATEST
from catalog.measures.interval import HOUR
from catalog.measures.money import EXPONENTS
from catalog.measures.price import MAX_PRICE_MICROS, format_micros
from catalog.measures.units import all_units
from exchange.markets.calendar import Calendar, Schedule
from exchange.markets.errors import MarketMoveRefused

CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
# Steps that divide a day, so that the grid falls on the same local hours every day.
GRID_STEPS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
MAX_QUANTITY: Final = 1_000_000  # units in one offer or order
MAX_HORIZON_HOURS: Final = 366 * 24
MAX_COLLAR_PERCENT: Final = 1_000
QUOTE_SECONDS: Final = (60, 300)  # the shortest and longest validity of a firm quote
# The version of the rules in this module and in clearing that rounds and orders record.
RULES_VERSION: Final = 1


class MarketStatus(StrEnum):
    """Whether a market takes offers and orders and runs its gates."""

    OPEN = "open"
    SUSPENDED = "suspended"


MOVES: Final[Mapping[MarketStatus, frozenset[MarketStatus]]] = MappingProxyType(
    {
        MarketStatus.OPEN: frozenset({MarketStatus.SUSPENDED}),
        MarketStatus.SUSPENDED: frozenset({MarketStatus.OPEN}),
    }
)


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """The rules of one market as plain values: prices in micros per unit and hour, quantities in units."""

    currency: str
    timezone: str
    epoch: date
    grid_slots: int
    lot_units: int
    tick_micros: int
    collar_min_micros: int
    collar_max_micros: int
    gate_interval_seconds: int
    gate_offset_seconds: int
    no_cancel_seconds: int
    lead_seconds: int
    horizon_hours: int
    # Firm quotes: how long one holds supply, and how much one buyer may have held at a time.
    quote_seconds: int = 120
    quotes_at_once: int = 3
    quoted_unit_hours_at_most: int = 10_000
    # How far a price may be from what its kind was last traded at, inside the collar; None is any.
    collar_percent: int | None = None
    # Announced changes of when its gates stand, in the order in which they take effect.
    calendars: tuple[Calendar, ...] = ()

    @property
    def schedule(self) -> Schedule:
        """When its gates stand: its first calendar, and those announced since."""
        first = Calendar(None, self.gate_interval_seconds, self.gate_offset_seconds, self.no_cancel_seconds)
        return Schedule(self.slot_zero, ZoneInfo(self.timezone), (first, *self.calendars))

    @property
    def slot_zero(self) -> datetime:
        """The instant (UTC) at which slot 0 starts."""
        return datetime.combine(self.epoch, time(), ZoneInfo(self.timezone)).astimezone(UTC)

    @property
    def grid(self) -> timedelta:
        """The step between the instants at which a delivery may start or end."""
        return self.grid_slots * HOUR


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """A market to be opened: its names, what is traded in it and in which unit, and its terms."""

    code: str
    name: str
    service_class: str
    unit: str
    terms: MarketTerms
    name_zh: str = ""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The hours that one gate can deliver, `[first_at, last_at)`; both lie on the grid."""

    first_at: datetime
    last_at: datetime


# --- Slots -------------------------------------------------------------------------------------


def slot_at(terms: MarketTerms, instant: datetime) -> int:
    """Return the slot that contains the instant; negative before slot zero."""
    return (instant - terms.slot_zero) // HOUR


def instant_of(terms: MarketTerms, slot: int) -> datetime:
    """Return the instant (UTC) at which a slot starts."""
    return terms.slot_zero + slot * HOUR


def is_on_grid(terms: MarketTerms, instant: datetime) -> bool:
    """Whether a delivery may start or end at the instant."""
    return not (instant - terms.slot_zero) % terms.grid


def grid_floor(terms: MarketTerms, instant: datetime) -> datetime:
    """Return the latest instant of the grid that is not after this one."""
    return terms.slot_zero + (instant - terms.slot_zero) // terms.grid * terms.grid


def grid_ceiling(terms: MarketTerms, instant: datetime) -> datetime:
    """Return the earliest instant of the grid that is not before this one."""
    return terms.slot_zero - (terms.slot_zero - instant) // terms.grid * terms.grid


# --- Gates -------------------------------------------------------------------------------------


def next_gate(terms: MarketTerms, after: datetime) -> datetime:
    """Return the first gate strictly after an instant: what comes at a gate is too late for it."""
    return terms.schedule.next_gate(after)


def last_gate(terms: MarketTerms, at: datetime) -> datetime:
    """Return the latest gate that is not after an instant."""
    return terms.schedule.last_gate(at)


def cancel_deadline(terms: MarketTerms, gate_at: datetime) -> datetime:
    """Return the instant from which nothing may be lowered or withdrawn before a gate."""
    return gate_at - timedelta(seconds=terms.schedule.at(gate_at).no_cancel_seconds)


def publish_at(terms: MarketTerms, gate_at: datetime) -> datetime:
    """Return the instant before which nothing of what a gate decides binds or is seen."""
    return gate_at + timedelta(seconds=terms.schedule.at(gate_at).publish_after_seconds)


def publish_by(terms: MarketTerms, gate_at: datetime) -> datetime:
    """Return by when the round of a gate is to be published; later it is overdue."""
    return gate_at + timedelta(seconds=terms.schedule.at(gate_at).publish_seconds)


def in_no_cancel_phase(terms: MarketTerms, now: datetime, *, gate_at: datetime) -> bool:
    """Whether the no-cancel phase of a gate has begun. Ended or not does not matter: a gate past is closed too."""
    return now >= cancel_deadline(terms, gate_at)


def horizon(terms: MarketTerms, gate_at: datetime) -> Horizon:
    """Return what a gate can deliver: a lead time after it is published, up to the horizon, on the grid.

    A lead time longer than the horizon leaves an empty one (`first_at >= last_at`).
    """
    return _horizon(terms, gate_at, known_at=publish_at(terms, gate_at))


def instant_horizon(terms: MarketTerms, bought_at: datetime) -> Horizon:
    """Return what an instant purchase can deliver, which its provider learns of at once."""
    return _horizon(terms, bought_at, known_at=bought_at)


def _horizon(terms: MarketTerms, decided_at: datetime, *, known_at: datetime) -> Horizon:
    return Horizon(
        first_at=grid_ceiling(terms, known_at + timedelta(seconds=terms.lead_seconds)),
        last_at=grid_floor(terms, decided_at + terms.horizon_hours * HOUR),
    )


# --- Checks: every one yields what is wrong, with the value seen and what was expected -----------


def collar(terms: MarketTerms, reference_micros: int, *, percent: int) -> tuple[int, int]:
    """Return the lowest and highest price within so many per cent of a reference, on ticks and inside the collar."""
    tick = terms.tick_micros
    lowest = -(-reference_micros * max(0, 100 - percent) // (100 * tick)) * tick
    highest = reference_micros * (100 + percent) // (100 * tick) * tick
    lowest, highest = max(lowest, terms.collar_min_micros), min(highest, terms.collar_max_micros)
    # Between two ticks there is nothing: then the market's own bounds are all there is.
    return (lowest, highest) if lowest <= highest else (terms.collar_min_micros, terms.collar_max_micros)


def price_problems(terms: MarketTerms, price_micros: int, *, pointer: str) -> Iterator[FieldProblem]:
    """Check a limit or reserve against the collar and the tick."""
    shown = format_micros(price_micros)
    if not terms.collar_min_micros <= price_micros <= terms.collar_max_micros:
        low, high = (
            format_micros(terms.collar_min_micros),
            format_micros(terms.collar_max_micros),
        )
        yield FieldProblem(
            pointer,
            f"expected a price from {low} to {high} {terms.currency}, got {shown}",
        )
    elif price_micros % terms.tick_micros:
        below = price_micros - price_micros % terms.tick_micros
        near = f"{format_micros(below)} or {format_micros(below + terms.tick_micros)}"
        yield FieldProblem(
            pointer,
            f"expected a multiple of the tick {format_micros(terms.tick_micros)} {terms.currency}, such as {near}, "
            f"got {shown}",
        )


def quantity_problems(terms: MarketTerms, quantity: int, *, pointer: str) -> Iterator[FieldProblem]:
    """Check a number of units against the lot and the largest quantity."""
    if not 1 <= quantity <= MAX_QUANTITY:
        yield FieldProblem(
            pointer,
            f"expected from {terms.lot_units} to {MAX_QUANTITY} units, got {quantity}",
        )
    elif quantity % terms.lot_units:
        yield FieldProblem(
            pointer,
            f"expected a multiple of the lot of {terms.lot_units} units, got {quantity}",
        )


def window_problems(
    terms: MarketTerms, starts_at: datetime, ends_at: datetime, *, start: str, end: str
) -> Iterator[FieldProblem]:
    """Check that a window is not empty and lies on the grid; `start` and `end` are the fields' pointers."""
    for pointer, instant in ((start, starts_at), (end, ends_at)):
        if not EARLIEST <= instant < LATEST:
            yield FieldProblem(
                pointer,
                f"expected a time in the years 2020 to 2099, got {_shown(terms, instant)}",
            )
        elif not is_on_grid(terms, instant):
            floor = grid_floor(terms, instant)
            near = f"{_shown(terms, floor)} or {_shown(terms, floor + terms.grid)}"
            yield FieldProblem(
                pointer,
                f"expected a time on the {terms.grid_slots}-hour grid of {terms.timezone}, such as {near}, "
                f"got {_shown(terms, instant)}",
            )
    if starts_at >= ends_at:
        yield FieldProblem(
            end,
            f"expected a time after {_shown(terms, starts_at)}, got {_shown(terms, ends_at)}",
        )


def reach_problems(
    terms: MarketTerms,
    starts_at: datetime,
    ends_at: datetime,
    *,
    gate_at: datetime,
    start: str,
    end: str,
) -> Iterator[FieldProblem]:
    """Check that the whole window can be delivered by the gate: after its lead time and inside its horizon."""
    published_at = publish_at(terms, gate_at)
    what = f"gate at {_shown(terms, gate_at)}"
    if published_at > gate_at:
        what += f", which is published at {_shown(terms, published_at)},"
    yield from _reach_problems(terms, starts_at, ends_at, horizon(terms, gate_at), what=what, start=start, end=end)


def instant_reach_problems(
    terms: MarketTerms,
    starts_at: datetime,
    ends_at: datetime,
    *,
    bought_at: datetime,
    start: str,
    end: str,
    what: str = "instant purchase",
) -> Iterator[FieldProblem]:
    """Check that the whole window can be delivered by a purchase at an instant, which `what` names."""
    reach, what = instant_horizon(terms, bought_at), f"{what} at {_shown(terms, bought_at)}"
    yield from _reach_problems(terms, starts_at, ends_at, reach, what=what, start=start, end=end)


def _reach_problems(
    terms: MarketTerms, starts_at: datetime, ends_at: datetime, reach: Horizon, *, what: str, start: str, end: str
) -> Iterator[FieldProblem]:
    if starts_at < reach.first_at:
        yield FieldProblem(
            start,
            f"expected {_shown(terms, reach.first_at)} or later, the first start after the {what} and its lead time "
            f"of {terms.lead_seconds // 60} minutes, got {_shown(terms, starts_at)}",
        )
    if ends_at > reach.last_at:
        yield FieldProblem(
            end,
            f"expected {_shown(terms, reach.last_at)} or earlier, the end of the market's horizon of "
            f"{terms.horizon_hours} hours, got {_shown(terms, ends_at)}",
        )


def market_problems(spec: MarketSpec) -> Iterator[FieldProblem]:
    """Check that the rules of a new market fit together."""
    terms = spec.terms
    if not CODE.fullmatch(spec.code):
        yield FieldProblem(
            "/code",
            f"expected 2 to 40 lower-case letters, digits and hyphens, got {spec.code!r}",
        )
    if terms.currency not in EXPONENTS:
        yield FieldProblem(
            "/currency",
            f"expected one of {', '.join(EXPONENTS)}, got {terms.currency!r}",
        )
    if spec.unit not in all_units():
        yield FieldProblem("/unit", f"expected the code of a unit such as card_hours, got {spec.unit!r}")
    if terms.grid_slots not in GRID_STEPS:
        yield FieldProblem(
            "/grid_slots",
            f"expected one of {', '.join(map(str, GRID_STEPS))}, got {terms.grid_slots}",
        )
    for name, low, high in (
        ("lot_units", 1, MAX_QUANTITY),
        ("tick_micros", 1, MAX_PRICE_MICROS),
        ("collar_min_micros", 0, terms.collar_max_micros),
        ("collar_max_micros", 1, MAX_PRICE_MICROS),
        ("gate_interval_seconds", 1, 7 * 24 * 3600),
        ("gate_offset_seconds", 0, terms.gate_interval_seconds - 1),
        ("no_cancel_seconds", 0, terms.gate_interval_seconds - 1),
        ("lead_seconds", 0, 7 * 24 * 3600),
        ("horizon_hours", 1, MAX_HORIZON_HOURS),
        ("quote_seconds", *QUOTE_SECONDS),
        ("quotes_at_once", 0, 1_000),
        ("quoted_unit_hours_at_most", 1, MAX_QUANTITY * MAX_HORIZON_HOURS),
    ):
        value = getattr(terms, name)
        if not low <= value <= high:
            yield FieldProblem(f"/{name}", f"expected from {low} to {high}, got {value}")
    if terms.collar_percent is not None and not 1 <= terms.collar_percent <= MAX_COLLAR_PERCENT:
        yield FieldProblem("/collar_percent", f"expected from 1 to {MAX_COLLAR_PERCENT}, got {terms.collar_percent}")
    yield from zone_problems(terms.timezone, terms.epoch)


def check_move(current: str, target: MarketStatus) -> None:
    """Raise MarketMoveRefused unless a market may go from one status to the other."""
    if target not in MOVES[MarketStatus(current)]:
        raise MarketMoveRefused(current, target)


def zone_problems(timezone: str, epoch: date) -> Iterator[FieldProblem]:
    """Check that the market's hours are whole hours of UTC, which capacity is counted by."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        yield FieldProblem(
            "/timezone",
            f"expected a zone of the IANA database such as Asia/Shanghai, got {timezone!r}",
        )
        return
    offset = datetime.combine(epoch, time(), zone).utcoffset()
    if offset is None or offset % HOUR:
        yield FieldProblem(
            "/timezone",
            f"expected a zone that is whole hours from UTC on {epoch}, got {timezone}",
        )


def _shown(terms: MarketTerms, instant: datetime) -> str:
    """Spell an instant in the market's zone, with its offset, so that nobody has to guess."""
    return instant.astimezone(ZoneInfo(terms.timezone)).isoformat(timespec="minutes")
