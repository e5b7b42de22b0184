"""The life of an offer, what it may say, and what a change does to its place in the queue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem
from catalog.measures.price import format_micros
from catalog.measures.rounding import PPM
from exchange.capacity.rules import hours
from exchange.markets import rules as market_rules
from exchange.markets.rules import MarketTerms
from exchange.offers.errors import OfferMoveRefused


class OfferStatus(StrEnum):
    """Where an offer stands."""

    OPEN = "open"
    PARTLY_SOLD = "partly_sold"
    SOLD = "sold"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


# In plain strings, for queries and constraints.
LIVE: Final = (OfferStatus.OPEN.value, OfferStatus.PARTLY_SOLD.value)

MOVES: Final[Mapping[OfferStatus, frozenset[OfferStatus]]] = MappingProxyType(
    {
        OfferStatus.OPEN: frozenset(
            {OfferStatus.PARTLY_SOLD, OfferStatus.SOLD, OfferStatus.WITHDRAWN, OfferStatus.EXPIRED}
        ),
        OfferStatus.PARTLY_SOLD: frozenset({OfferStatus.SOLD, OfferStatus.WITHDRAWN, OfferStatus.EXPIRED}),
        OfferStatus.SOLD: frozenset(),
        OfferStatus.WITHDRAWN: frozenset(),
        OfferStatus.EXPIRED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """What an offer says that a change of it may change: units in every hour of the window, at a reserve.

    `instant_price_micros` is what a unit-hour costs outside of the auction, at once; None is not for sale like that.
    """

    quantity: int
    starts_at: datetime
    ends_at: datetime
    reserve_micros: int
    instant_price_micros: int | None = None

    @property
    def unit_hours(self) -> int:
        """Units times hours."""
        return self.quantity * len(hours(self.starts_at, self.ends_at))

    @property
    def by_hour(self) -> dict[datetime, int]:
        """Units by the instant at which each hour starts."""
        return dict.fromkeys(hours(self.starts_at, self.ends_at), self.quantity)


@dataclass(frozen=True, slots=True)
class OfferSpec:
    """An offer to be placed. The credits are parts per million of the price; None is what holds for everybody."""

    market_id: UUID
    offering_id: UUID
    terms: OfferTerms
    pause_credit_ppm: int | None = None
    return_credit_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """Units of one offer sold in every hour of `[starts_at, ends_at)`."""

    offer_id: UUID
    starts_at: datetime
    ends_at: datetime
    quantity: int


def check_move(current: str, target: OfferStatus) -> None:
    """Raise OfferMoveRefused unless an offer may go from one status to the other."""
    if target not in MOVES[OfferStatus(current)]:
        raise OfferMoveRefused(current)


def terms_problems(market: MarketTerms, terms: OfferTerms) -> Iterator[FieldProblem]:
    """Check an offer's price, quantity and window against the market, apart from its gates."""
    yield from market_rules.price_problems(market, terms.reserve_micros, pointer="/reserve_price")
    yield from market_rules.quantity_problems(market, terms.quantity, pointer="/quantity")
    yield from market_rules.window_problems(market, terms.starts_at, terms.ends_at, start="/starts_at", end="/ends_at")
    if terms.instant_price_micros is not None:
        yield from market_rules.price_problems(market, terms.instant_price_micros, pointer="/instant_price")
        if terms.instant_price_micros < terms.reserve_micros:
            least, seen = format_micros(terms.reserve_micros), format_micros(terms.instant_price_micros)
            yield FieldProblem("/instant_price", f"expected at least the reserve of {least}, got {seen}")


def spec_problems(market: MarketTerms, spec: OfferSpec, *, gate_at: datetime, now: datetime) -> Iterator[FieldProblem]:
    """Check a whole new offer; `gate_at` is the first gate it takes part in."""
    terms = spec.terms
    yield from terms_problems(market, terms)
    yield from _reach_problems(market, terms, gate_at=gate_at, now=now)
    for pointer, credit in (
        ("/pause_credit_ppm", spec.pause_credit_ppm),
        ("/return_credit_ppm", spec.return_credit_ppm),
    ):
        if credit is not None and not 0 <= credit <= PPM:
            yield FieldProblem(pointer, f"expected from 0 to {PPM} parts per million, got {credit}")


def new_edge_problems(
    market: MarketTerms, before: OfferTerms, after: OfferTerms, *, gate_at: datetime, now: datetime
) -> Iterator[FieldProblem]:
    """Check that the edges of a window that a change moves can be delivered."""
    reach = market_rules.horizon(market, gate_at)
    starts_at = reach.first_at if after.starts_at == before.starts_at else after.starts_at
    ends_at = reach.last_at if after.ends_at == before.ends_at else after.ends_at
    edges = replace(after, starts_at=starts_at, ends_at=ends_at)
    yield from _reach_problems(market, edges, gate_at=gate_at, now=now)


def _reach_problems(
    market: MarketTerms, terms: OfferTerms, *, gate_at: datetime, now: datetime
) -> Iterator[FieldProblem]:
    """Check a window against what the next gate delivers, or for what is sold at once, a sale made now."""
    start, end = "/starts_at", "/ends_at"
    reach = market_rules.horizon(market, gate_at)
    if terms.instant_price_micros is None:
        yield from market_rules.reach_problems(
            market, terms.starts_at, terms.ends_at, gate_at=gate_at, start=start, end=end
        )
        return
    soonest = market_rules.instant_horizon(market, now)
    yield from market_rules.instant_reach_problems(
        market, terms.starts_at, soonest.last_at, bought_at=now, start=start, end=end
    )
    yield from market_rules.reach_problems(market, reach.first_at, terms.ends_at, gate_at=gate_at, start=start, end=end)


def prices(terms: OfferTerms) -> tuple[int, int | None]:
    """Return what of an offer's terms is a price."""
    return terms.reserve_micros, terms.instant_price_micros


def is_improvement(before: OfferTerms, after: OfferTerms) -> bool:
    """Whether a change only adds for buyers: such a change is taken until the gate."""
    return (
        after.reserve_micros <= before.reserve_micros
        and after.quantity >= before.quantity
        and after.starts_at <= before.starts_at
        and after.ends_at >= before.ends_at
    )


def keeps_place(before: OfferTerms, after: OfferTerms) -> bool:
    """Whether a change takes nothing from others, so that the offer keeps its `seq`."""
    return (
        after.reserve_micros <= before.reserve_micros
        and after.quantity <= before.quantity
        and after.starts_at >= before.starts_at
        and after.ends_at <= before.ends_at
    )


def changes_by_hour(before: Mapping[datetime, int], after: Mapping[datetime, int]) -> dict[datetime, int]:
    """Return by how many units each hour changes; hours that stay as they are are left out."""
    changes = {hour: after.get(hour, 0) - before.get(hour, 0) for hour in before.keys() | after.keys()}
    return {hour: changes[hour] for hour in sorted(changes) if changes[hour]}
