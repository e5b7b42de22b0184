"""What the made-up members of the demo market do by themselves: standing offers and small orders.

Everything is drawn from the instant, so the same instant draws the same order. Bounds keep a market that runs
for days small: a handful of resting orders, one order at a time that is meant to fill, and none of those while much
of the coming hours is sold, so that a newcomer's order always finds room.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from django.db.models import Max, Sum

from accounts.actors.actor import Capability
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.ledger import queries as ledger
from catalog.measures.interval import HOUR
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering
from catalog.offerings.needs import CellAttributes, MaxLatency, Needs
from exchange.demo import script, stage
from exchange.demo.cast import CURRENCY, acting_for
from exchange.demo.script import Standing
from exchange.imports import loading
from exchange.imports.draws import Draws
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus
from exchange.offers import services as offers
from exchange.offers.models import Offer, OfferSlot
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import LIVE as LIVE_ORDERS
from exchange.orders.rules import LimitSource, OrderKind, OrderSpec, OrderTerms

SEED: Final = 1
STEP: Final = timedelta(seconds=30)  # beat rings so often: an instant within a step draws the same
MARGIN: Final = timedelta(minutes=1)
# Standing offers reach from six to twelve hours ahead.
STRETCH: Final = 6 * HOUR
INSTANT_PERCENT: Final = 120  # of the reserve, for who buys at once
RESTING_ORDERS: Final = 4
FILLING_PERCENT: Final = 30  # of steps bring an order for an hour that is meant to fill: some 36 in an hour
BUSY_SHARE: Final = Fraction(6, 10)
BUSY_WITHIN: Final = 3 * HOUR
RESTING_LIMIT: Final = (70, 95)  # per cent of the reserve of what the buyer has in mind
FILLING_LIMIT: Final = (105, 135)


@dataclass(frozen=True)
class Supply:
    """An offering that is always on offer, and what its cell is."""

    offering: Offering
    cell: CellAttributes
    standing: Standing


def go_on(*, now: datetime) -> int:
    """Do what the made-up members do at an instant; return how many orders were placed.

    A database without an open live market has no demo in it and stays as it is.
    """
    market = Market.objects.filter(code=stage.LIVE, status=MarketStatus.OPEN).first()
    if market is None:
        return 0
    hourly = Market.objects.filter(code=stage.HOURLY, status=MarketStatus.OPEN).first()
    standing = supplies()
    for each in (market, hourly):
        if each is not None:
            renew_offers(each, standing, now=now)
    draws = Draws(SEED, (now - (now - datetime(2020, 1, 1, tzinfo=UTC)) % STEP).isoformat())
    placed = 0
    resting = Order.objects.filter(market=market, status__in=LIVE_ORDERS, buyer__in=_buyers(), rolls_over=True)
    if resting.count() < RESTING_ORDERS:
        place_order(market, standing, draws, fills=False, now=now)
        placed += 1
    if draws.chance("comes", FILLING_PERCENT) and not _is_busy(market, now=now):
        place_order(market, standing, draws, fills=True, now=now, hours=1)
        placed += 1
    return placed


def supplies() -> tuple[Supply, ...]:
    """Return the offerings with a standing offer, in the order of their names, but what the operator suspended."""
    plans = {plan.name: plan.standing for plan in script.standing()}
    listed = offerings.listed().filter(
        provider__synthetic=True, provider__status=OrganisationStatus.ACTIVE, name__in=plans
    )
    return tuple(
        Supply(offering, cells.attributes(offering), standing)
        for offering in listed.order_by("name")
        if (standing := plans[offering.name]) is not None
    )


def first_hour(market: Market, *, now: datetime) -> datetime:
    """Return the first hour that can be entered safely, though a gate within the next minute should close meanwhile."""
    gate_at = market_rules.next_gate(market.terms, now + MARGIN)
    return market_rules.horizon(market.terms, gate_at).first_at


def renew_offers(market: Market, standing: Sequence[Supply], *, now: datetime) -> None:
    """Offer a further stretch of every offering whose offers end within one."""
    first_at = first_hour(market, now=now)
    own = Offer.objects.filter(market=market, offering__in=[supply.offering for supply in standing])
    ends = dict(own.values_list("offering_id").annotate(last=Max("ends_at")))
    for supply in standing:
        starts_at = max(first_at, ends.get(supply.offering.id, first_at))
        if starts_at >= first_at + STRETCH:
            continue
        reserve_micros = supply.standing.reserve_micros
        terms = OfferTerms(
            supply.standing.quantity,
            starts_at,
            starts_at + STRETCH,
            reserve_micros,
            instant_price_micros=loading.near_tick(market, reserve_micros * INSTANT_PERCENT // 100),
        )
        seller = acting_for(supply.offering.provider, Capability.LIST)
        offers.place(seller, OfferSpec(market.id, supply.offering.id, terms), now=now, lists_capacity=True)


def place_order(
    market: Market,
    standing: Sequence[Supply],
    draws: Draws,
    *,
    fills: bool,
    now: datetime,
    buyer: Organisation | None = None,
    wanted: Supply | None = None,
    hours: int | None = None,
) -> Order:
    """Place an order of a made-up buyer, drawn where it is not said; its limit is synthetic.

    One that is not meant to fill rests in the book, below what providers take, until its hours are past.
    """
    purpose = "fills" if fills else "rests"
    buyer = buyer or draws.choice(f"{purpose}: buyer", [(each, 1) for each in _buyers()])
    wanted = wanted or draws.choice(f"{purpose}: supply", [(each, 1) for each in standing])
    hours = hours or draws.whole(f"{purpose}: hours", 1, 2)
    first_at = first_hour(market, now=now) + draws.whole(f"{purpose}: wait", 0, 1) * HOUR
    low, high = FILLING_LIMIT if fills else RESTING_LIMIT
    per_cent = draws.whole(f"{purpose}: limit", low, high)
    is_block = draws.chance(f"{purpose}: block", 50)
    quantity = draws.whole(f"{purpose}: quantity", 1, 4)
    terms = OrderTerms(
        quantity_max=quantity,
        quantity_min=quantity if is_block else None,
        hours=hours if is_block else None,
        earliest_at=first_at,
        latest_at=first_at + hours * HOUR,
        needs=_needs(wanted.cell, draws, purpose),
        limit_micros=loading.near_tick(market, wanted.standing.reserve_micros * per_cent // 100),
        rolls_over=not fills,
    )
    spec = OrderSpec(
        market_id=market.id,
        kind=OrderKind.BLOCK if is_block else OrderKind.HOURLY,
        terms=terms,
        limit_source=LimitSource.SYNTHETIC,
    )
    if ledger.funds(buyer.id, CURRENCY).available_minor < stage.LOW_MINOR:
        stage.fund(buyer, now=now)
    return orders.place(acting_for(buyer, Capability.TRADE), spec, now=now)


def _buyers() -> tuple[Organisation, ...]:
    names = [plan.name for plan in script.buyers()]
    active = Organisation.objects.filter(synthetic=True, status=OrganisationStatus.ACTIVE, name__in=names)
    return tuple(active.order_by("name"))


def _needs(cell: CellAttributes, draws: Draws, purpose: str) -> Needs:
    """Say what the cell has, in one of the ways that buyers do: a model, or what the job needs."""
    by_need = Needs(min_memory_gb=cell.memory_gb, min_tflops=cell.tflops)
    metro, latency_ms = min(cell.latency_ms.items(), key=lambda item: item[1])
    ways: tuple[tuple[Needs, int], ...] = (
        (Needs(models=(cell.model,)), 30),
        (Needs(models=(cell.model,), regions=(cell.region,)), 20),
        (replace(by_need, regions=(cell.region,)), 20),
        (replace(by_need, min_green_percent=cell.green_percent), 15),
        (replace(by_need, max_latency=MaxLatency(metro, _up_to_five(latency_ms))), 15),
    )
    return draws.choice(f"{purpose}: needs", ways)


def _up_to_five(latency_ms: int) -> int:
    return -(-latency_ms // 5) * 5


def _is_busy(market: Market, *, now: datetime) -> bool:
    """Whether much of the next hours is sold."""
    first_at = first_hour(market, now=now)
    slots = OfferSlot.objects.filter(
        offer__market=market, starts_at__gte=first_at, starts_at__lt=first_at + BUSY_WITHIN
    )
    total = slots.aggregate(listed=Sum("quantity", default=0), sold=Sum("sold", default=0))
    return bool(total["sold"] > total["listed"] * BUSY_SHARE)
