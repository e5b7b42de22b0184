"""The run itself: time jumps from one thing that happens to the next, and nothing reads the real clock.

The same offers, orders, days and seed give the same market to the last fen: ids and real time decide nothing.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.jobs import services as jobs
from accounts.organisations import services as organisations
from accounts.organisations.rules import OrganisationKind
from accounts.organisations.services import Application, LegalDetails
from billing.payouts import services as payouts
from catalog.measures.interval import HOUR
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour, Shortfall
from exchange.auctions import gates
from exchange.imports import demand, desk, supply
from exchange.imports import market as usd_market
from exchange.imports.alibaba import ParsedOrder, ParsedOrders
from exchange.imports.draws import Draws
from exchange.imports.vast import ParsedOffers
from exchange.leases import rules as lease_rules
from exchange.leases import ticks
from exchange.leases.models import Lease
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.orders import services as orders
from exchange.orders.models import Order

# The first delivered hour. A fixed day: what is simulated must not depend on when it is.
START: Final = datetime(2026, 1, 5, tzinfo=UTC)
STEP: Final = timedelta(minutes=15)  # not longer than the gap after which a lease is impaired
LONGEST_TAIL: Final = timedelta(days=30)  # after the last simulated day, for what still runs
SHORTFALL_PERCENT: Final = 4  # of leases deliver one hour with half of their units
RELEASE_AFTER: Final = lease_rules.DISPUTE_WINDOW + timedelta(days=1)
_SYSTEM: Final = Actor.system("simulation")


@dataclass
class Simulation:
    """What goes in and, after `run`, what was counted on the way."""

    offers: ParsedOffers
    orders: ParsedOrders
    days: int
    seed: int
    offers_entered: int = 0
    orders_placed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    _behaviours: dict[UUID, Behaviour] = field(default_factory=dict)

    def run(self) -> Market:
        """Run the whole market in the (empty) database and return it; the clock is real again afterwards."""
        now = START - 3 * HOUR
        with clock.travel(now):
            market = self._open()
            waiting = deque(self._arrivals(market))
            end = START + timedelta(days=self.days)
            while now < end or (_is_alive(market) and now < end + LONGEST_TAIL):
                now += STEP
                self._place_until(now, waiting, market)
                self._step(now)
            _pay_out(market, at=now + RELEASE_AFTER)
        return market

    def _open(self) -> Market:
        """Found the exchange, open the market, list every machine and fund every buyer."""
        now = clock.now()
        legal = LegalDetails("Simulated Exchange", "SIMULATION", "CN", "Simulated address", vat_registered=True)
        application = Application(
            name="Simulated Exchange",
            kind=OrganisationKind.OPERATOR,
            legal=legal,
            can_operate=True,
            country="CN",
            synthetic=True,
        )
        operator = organisations.register(_SYSTEM, application, administrator=None, now=now)
        organisations.admit(_SYSTEM, operator.id, now=now)
        market = usd_market.opened(desk.operator(), now=now)
        loaded = supply.load_offers(
            self.offers,
            market=market,
            actor=desk.operator(),
            now=now,
            starts_at=START,
            ends_at=START + timedelta(days=self.days),
        )
        self.offers_entered = loaded.entered
        self.left_out.update({f"offer: {reason}": count for reason, count in loaded.left_out.items()})
        self.left_out.update({f"order: {reason}": count for reason, count in self.orders.left_out.items()})
        return market

    def _arrivals(self, market: Market) -> list[tuple[datetime, ParsedOrder, Actor]]:
        buyers = demand.fund_buyers(self.orders, market=market, now=clock.now())
        return [(START + order.arrives_after, order, buyers[order.buyer]) for order in self.orders.orders]

    def _place_until(
        self, until: datetime, waiting: deque[tuple[datetime, ParsedOrder, Actor]], market: Market
    ) -> None:
        """Let everybody who comes by an instant place an order, each at its own time."""
        while waiting and waiting[0][0] <= until:
            arrives_at, order, buyer = waiting.popleft()
            clock.set_virtual(arrives_at)
            try:
                orders.place(buyer, demand.order_spec(order, market=market, starts_at=START), now=arrives_at)
            except DomainError as refusal:
                self.left_out[f"order refused: {refusal.code}"] += 1
            else:
                self.orders_placed += 1

    def _step(self, now: datetime) -> None:
        """Do what is due at an instant: gates, clearing and settling, delivery, bills."""
        clock.set_virtual(now)
        gates.close_due(now=now)
        do_jobs()
        agents.serve(now=now, behaviours=self._planned(now))
        ticks.run_due(now=now)
        do_jobs()

    def _planned(self, now: datetime) -> Mapping[UUID, Behaviour]:
        """Return how agents deliver: most plainly, a few short for an hour, as the seed says."""
        unplanned = Lease.objects.filter(closed_at__isnull=True).exclude(id__in=self._behaviours)
        for lease in unplanned.select_related("offering"):
            draws = Draws(self.seed, f"{lease.offering.name} {lease.starts_at.isoformat()} {lease.quantity}")
            short: tuple[Shortfall, ...] = ()
            if draws.chance("falls short", SHORTFALL_PERCENT):
                short = (Shortfall(lease.starts_at, lease.starts_at + HOUR, lease.quantity // 2),)
            self._behaviours[lease.id] = Behaviour(shortfalls=short, step=HOUR)
        return self._behaviours


def _pay_out(market: Market, *, at: datetime) -> None:
    """Close the market, let the dispute windows pass and make what is owed available."""
    markets.suspend(_SYSTEM, market.id, reason="The simulated days are over.", now=clock.now())
    clock.set_virtual(at)
    gates.close_due(now=at)
    payouts.release_due(now=at, limit=1_000_000)
    do_jobs()


def do_jobs() -> None:
    """Do every job that is due at the present instant."""
    while jobs.run_due(limit=100, now=clock.now()):
        pass


def _is_alive(market: Market) -> bool:
    """Whether an order can still fill or a lease is still to be accounted for."""
    return (
        Order.objects.filter(market=market, closed_at__isnull=True).exists()
        or Lease.objects.filter(closed_at__isnull=True).exists()
    )
