"""The life of a quote, what may be asked for, and the cheapest way to provide it: on plain values."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem
from catalog.measures.interval import HOUR
from catalog.measures.money import format_minor
from catalog.offerings.needs import Needs
from exchange.capacity.rules import hours
from exchange.markets import rules as market_rules
from exchange.markets.rules import QUOTE_SECONDS, MarketTerms
from exchange.orders.rules import MAX_AMOUNT_MINOR
from exchange.quotes.errors import QuoteExpired, QuoteNotOpen


class QuoteStatus(StrEnum):
    """Where a quote stands. It holds supply while it is open, and only then."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


MOVES: Final[Mapping[QuoteStatus, frozenset[QuoteStatus]]] = MappingProxyType(
    {
        QuoteStatus.OPEN: frozenset({QuoteStatus.ACCEPTED, QuoteStatus.EXPIRED, QuoteStatus.WITHDRAWN}),
        QuoteStatus.ACCEPTED: frozenset(),
        QuoteStatus.EXPIRED: frozenset(),
        QuoteStatus.WITHDRAWN: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSpec:
    """What a quote is asked for: `quantity` units that meet the needs in every hour of `[starts_at, ends_at)`.

    With `single_site` all of them come from one delivery pool. `budget_minor` is all-in, in the market's currency.
    Without a project it goes to the organisation's default one, without `valid_seconds` the market's validity holds.
    """

    market_id: UUID
    quantity: int
    starts_at: datetime
    ends_at: datetime
    needs: Needs
    single_site: bool = False
    budget_minor: int | None = None
    project_id: UUID | None = None
    valid_seconds: int | None = None

    @property
    def hours(self) -> list[datetime]:
        """The instants at which the hours start."""
        return hours(self.starts_at, self.ends_at)

    @property
    def unit_hours(self) -> int:
        """Units times hours."""
        return self.quantity * len(self.hours)


@dataclass(frozen=True, slots=True)
class Supply:
    """An offer with an instant price: its delivery pool, and the units that are free in each hour."""

    offer_id: UUID
    pool: str
    price_micros: int
    seq: int
    free: Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """Units of one offer in every hour of `[starts_at, ends_at)`."""

    offer_id: UUID
    starts_at: datetime
    ends_at: datetime
    quantity: int

    @property
    def unit_hours(self) -> int:
        """Units times hours."""
        return self.quantity * ((self.ends_at - self.starts_at) // HOUR)


def check_open(status: str, *, expires_at: datetime, now: datetime) -> None:
    """Raise QuoteExpired or QuoteNotOpen unless a quote can be accepted or withdrawn now."""
    if status == QuoteStatus.EXPIRED or (status == QuoteStatus.OPEN and now >= expires_at):
        raise QuoteExpired(expires_at)
    if status != QuoteStatus.OPEN:
        raise QuoteNotOpen(status)


def spec_problems(
    market: MarketTerms, spec: QuoteSpec, *, expires_at: datetime, now: datetime
) -> Iterator[FieldProblem]:
    """Check what is asked for; it must be deliverable also when it is accepted at the last moment."""
    yield from market_rules.quantity_problems(market, spec.quantity, pointer="/quantity")
    yield from market_rules.window_problems(market, spec.starts_at, spec.ends_at, start="/starts_at", end="/ends_at")
    yield from market_rules.instant_reach_problems(
        market,
        spec.starts_at,
        min(spec.ends_at, market_rules.instant_horizon(market, expires_at).last_at),
        bought_at=expires_at,
        start="/starts_at",
        end="/ends_at",
        what="last moment of the quote",
    )
    last_at = market_rules.instant_horizon(market, now).last_at
    if spec.ends_at > last_at:
        yield FieldProblem("/ends_at", f"expected {last_at.isoformat()} or earlier, got {spec.ends_at.isoformat()}")
    if spec.budget_minor is not None and not 1 <= spec.budget_minor <= MAX_AMOUNT_MINOR:
        low, high, seen = (format_minor(amount, market.currency) for amount in (1, MAX_AMOUNT_MINOR, spec.budget_minor))
        yield FieldProblem("/budget", f"expected from {low} to {high} {market.currency}, got {seen}")
    if spec.valid_seconds is not None and not QUOTE_SECONDS[0] <= spec.valid_seconds <= QUOTE_SECONDS[1]:
        yield FieldProblem(
            "/valid_seconds", f"expected from {QUOTE_SECONDS[0]} to {QUOTE_SECONDS[1]}, got {spec.valid_seconds}"
        )


def expiry(market: MarketTerms, spec: QuoteSpec, now: datetime) -> datetime:
    """Return until when a quote given now holds."""
    return now + timedelta(seconds=spec.valid_seconds or market.quote_seconds)


# --- The cheapest combination ------------------------------------------------------------------


def cheapest(
    supplies: Iterable[Supply], wanted: Sequence[datetime], *, quantity: int, lot_units: int, single_site: bool
) -> tuple[Taken, ...] | None:
    """Return the cheapest way to have `quantity` units in every wanted hour, or None when there is none.

    In each hour units come from the offers in the order of (price, seq, id): offers are divisible by lot and hour,
    so nothing is cheaper. With `single_site` all hours come from the delivery pool whose sum is lowest; of equal ones
    the pool whose first offer comes first. Runs of equal units are one; they come in the order of (offer, start).
    """
    ordered = sorted(supplies, key=_place)
    if not single_site:
        return _fill(ordered, wanted, quantity=quantity, lot_units=lot_units)
    price_of = {supply.offer_id: supply.price_micros for supply in ordered}
    best: tuple[int, tuple[Taken, ...]] | None = None
    for pool in dict.fromkeys(supply.pool for supply in ordered):
        own = [supply for supply in ordered if supply.pool == pool]
        found = _fill(own, wanted, quantity=quantity, lot_units=lot_units)
        if found is None:
            continue
        cost = sum(taken.unit_hours * price_of[taken.offer_id] for taken in found)
        if best is None or cost < best[0]:
            best = (cost, found)
    return None if best is None else best[1]


def most(supplies: Iterable[Supply], wanted: Sequence[datetime], *, lot_units: int, single_site: bool) -> int:
    """Return the largest quantity that can be had in every wanted hour, in whole lots; 0 for none."""
    free_by_pool: dict[str, dict[datetime, int]] = {}
    for supply in supplies:
        free = free_by_pool.setdefault(supply.pool if single_site else "", {})
        for hour in wanted:
            free[hour] = free.get(hour, 0) + _lots(supply, hour, lot_units)
    return max((min(free.values()) for free in free_by_pool.values() if free), default=0)


def largest_affordable(quantity: int, cost_of: Callable[[int], int], *, lot_units: int, within_minor: int) -> int:
    """Return the largest quantity up to one that can be had whose all-in cost the amount covers; 0 for none."""
    low, high = 0, quantity // lot_units
    while low < high:  # the cost never falls as the quantity grows
        middle = (low + high + 1) // 2
        if cost_of(middle * lot_units) <= within_minor:
            low = middle
        else:
            high = middle - 1
    return low * lot_units


def _fill(
    ordered: Sequence[Supply], wanted: Sequence[datetime], *, quantity: int, lot_units: int
) -> tuple[Taken, ...] | None:
    by_offer: dict[UUID, dict[datetime, int]] = {}
    for hour in wanted:
        missing = quantity
        for supply in ordered:
            units = min(missing, _lots(supply, hour, lot_units))
            if units > 0:
                by_offer.setdefault(supply.offer_id, {})[hour] = units
                missing -= units
            if not missing:
                break
        if missing:
            return None
    return tuple(run for offer_id, units in by_offer.items() for run in _runs(offer_id, units))


def _runs(offer_id: UUID, units_by_hour: Mapping[datetime, int]) -> list[Taken]:
    runs: list[Taken] = []
    for hour, units in sorted(units_by_hour.items()):
        last = runs[-1] if runs else None
        if last and (last.ends_at, last.quantity) == (hour, units):
            runs[-1] = Taken(offer_id, last.starts_at, hour + HOUR, units)
        else:
            runs.append(Taken(offer_id, hour, hour + HOUR, units))
    return runs


def _lots(supply: Supply, hour: datetime, lot_units: int) -> int:
    free = supply.free.get(hour, 0)
    return free - free % lot_units


def _place(supply: Supply) -> tuple[int, int, UUID]:
    return supply.price_micros, supply.seq, supply.offer_id
