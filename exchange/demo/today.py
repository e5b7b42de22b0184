"""What has happened today in the demo market when a newcomer arrives, played on a virtual clock up to the present.

Hourly rounds of the last hours have sold what is being delivered now; some of it ends in the next hours.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.organisations import queries as organisations
from accounts.organisations.models import Organisation
from billing.payments import services as payments
from billing.payments.rules import BankLine
from catalog.measures.interval import HOUR
from catalog.measures.money import Money
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour
from exchange.auctions import gates
from exchange.demo import stage, traffic
from exchange.demo.cast import CURRENCY, TIMEZONE, acting_for
from exchange.demo.story import Story, do_jobs
from exchange.demo.traffic import Supply
from exchange.imports.draws import Draws
from exchange.leases import ticks
from exchange.leases.models import Lease
from exchange.markets.models import Market

HOURS_BACK: Final = 4
TICK: Final = timedelta(minutes=15)  # not longer than the gap after which a lease is impaired
ENTER_BEFORE_GATE: Final = timedelta(minutes=15)
ORDERS_AN_HOUR: Final = 4
# Who buys first in every round and from whom: both can sign in and look at the lease.
FIRST_BUYER: Final = "Mingde University"
FIRST_SELLER: Final = "Huailai Compute"
FIRST_HOURS: Final = 4


def play(story: Story, *, until: datetime) -> None:
    """Trade and deliver from the end of the story's day to the present, and leave finance something to do."""
    begin = max(story.at(24), until.replace(minute=0, second=0, microsecond=0) - HOURS_BACK * HOUR)
    with clock.travel(begin):
        _close_noon(story, until=begin)
        market = stage.open_hourly_market(now=begin)
        gates.close_due(now=begin)
        for instant in _instants(begin, until):
            clock.set_virtual(instant)
            _step(now=instant)
            if (instant + ENTER_BEFORE_GATE).minute == 0:
                _enter(market, now=instant)
        _leave_to_finance(now=until)


def _close_noon(story: Story, *, until: datetime) -> None:
    """Run the gate of the story's market that lies before the first hour that is played."""
    noon = story.at(12, days=1)
    if noon <= until:
        clock.set_virtual(noon)
        _step(now=noon)
        clock.set_virtual(until)


def _instants(begin: datetime, until: datetime) -> Iterator[datetime]:
    instant = begin + TICK
    while instant < until:
        yield instant
        instant += TICK
    yield until


def _step(*, now: datetime) -> None:
    """Do what is due at an instant; agents report whole hours, the rest is theirs once the exchange runs."""
    gates.close_due(now=now)
    do_jobs()
    agents.serve(now=now, behaviours=_hourly_reports())
    ticks.run_due(now=now)
    do_jobs()


def _hourly_reports() -> dict[UUID, Behaviour]:
    open_leases = Lease.objects.filter(closed_at__isnull=True).values_list("id", flat=True)
    return dict.fromkeys(open_leases, Behaviour(step=HOUR))


def _enter(market: Market, *, now: datetime) -> None:
    """Renew the standing offers and enter the orders of one round."""
    standing = traffic.supplies()
    traffic.renew_offers(market, standing, now=now)
    traffic.place_order(
        market,
        standing,
        Draws(traffic.SEED, f"{now.isoformat()} first"),
        fills=True,
        now=now,
        buyer=Organisation.objects.get(name=FIRST_BUYER, synthetic=True),
        wanted=_of_first_seller(standing),
        hours=FIRST_HOURS,
    )
    for number in range(ORDERS_AN_HOUR):
        draws = Draws(traffic.SEED, f"{now.isoformat()} {number}")
        traffic.place_order(market, standing, draws, fills=number > 0, now=now, hours=draws.whole("hours", 1, 6))


def _of_first_seller(standing: tuple[Supply, ...]) -> Supply:
    return next(supply for supply in standing if supply.offering.provider.name == FIRST_SELLER)


def _leave_to_finance(*, now: datetime) -> None:
    """A top-up whose money has not come yet, and money that quotes nothing."""
    buyer = Organisation.objects.get(name=FIRST_BUYER, synthetic=True)
    payments.request_top_up(acting_for(buyer, Capability.TRADE), Money(5_000_00, CURRENCY), now=now)
    finance = acting_for(organisations.operator(), Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    line = BankLine(
        bank_reference="BANK-DEMO-0001",
        amount=Money(1_234_56, CURRENCY),
        value_date=now.astimezone(ZoneInfo(TIMEZONE)).date(),
        payer="Kite Robotics",
        remittance="for compute",
    )
    payments.record_receipt(finance, line, now=now)
