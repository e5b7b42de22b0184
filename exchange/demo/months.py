"""Whole months of the demo market on a virtual clock, thinned out: a few trading days, and everything that follows.

What `manage.py export_journal --demo` and `manage.py export_focus --demo` export, and what the tests of the exports
and of the books look at. Each month has two plain days and a delivery, short for a while, that runs over its end;
buyers use more than cards.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.actors.actor import Capability
from accounts.foundation import clock
from billing.invoices import months as invoice_months
from billing.payouts import services as payouts
from catalog.measures.interval import HOUR
from catalog.offerings import services as offerings
from catalog.offerings.services import Rate
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour, Reading, Shortfall
from exchange.auctions import gates
from exchange.demo import cast as casts
from exchange.demo import story as scenes
from exchange.demo.cast import CURRENCY, EGRESS_PRICE_MICROS, TIMEZONE, Cast, acting_for
from exchange.demo.story import Story
from exchange.leases import ticks
from exchange.leases.models import Lease
from exchange.markets import rules as market_rules

FIRST: Final = date(2026, 4, 1)  # a fixed month: what is simulated must not depend on when it is
PLAIN_DAYS: Final = (8, 17)  # of every month, and its last day besides
TICK: Final = timedelta(minutes=15)  # not longer than the gap after which a lease is impaired
AFTER_MONTH_END: Final = timedelta(minutes=75)  # the invoices of a month are drawn an hour after its end
RELEASE_AFTER: Final = timedelta(days=9)  # the dispute windows of the last deliveries are over
MARKET: Final = "ai-cards"

RATES: Final = (
    Rate("egress_gb", EGRESS_PRICE_MICROS),
    Rate("storage_gb_months", 120_000),
    Rate("tokens_in", 800_000, 1_000_000),
    Rate("energy_kwh", 615_300),
)


def play(first: date = FIRST, *, months: int = 1, plain_days: Sequence[int] = PLAIN_DAYS) -> Cast:
    """Trade, deliver and bill for so many months in an empty database; returns who took part.

    `plain_days` are the days of each month that are traded, before its last.

    The same months come to the same amounts, whenever and wherever they are played.
    """
    assert first.day == 1, first
    with clock.travel(_midnight(first) - timedelta(days=3)):
        cast = casts.assemble(market_code=MARKET)
        _price(cast)
        for month in _months(first, months):
            for day in plain_days:
                _play_day(cast, month.replace(day=day), hours=(10, 16))
            _play_day(cast, _next(month) - timedelta(days=1), hours=(21, 27))
        _pass_time(cast, until=clock.now() + RELEASE_AFTER)
        payouts.release_due(now=clock.now(), limit=1_000)
        scenes.do_jobs()
    return cast


def _price(cast: Cast) -> None:
    """Publish rate cards with more meters than the story's."""
    for provider, offering in ((cast.huailai, cast.huailai_cards), (cast.zhangbei, cast.zhangbei_cards)):
        actor = acting_for(provider, Capability.LIST)
        now = clock.now() + timedelta(minutes=1)
        offerings.publish_rate_card(actor, offering.id, RATES, currency=CURRENCY, now=clock.now(), effective_from=now)


def _play_day(cast: Cast, day: date, *, hours: tuple[int, int]) -> None:
    """Top up, trade at noon before, deliver, and bill."""
    story = Story(day, cast)
    _pass_time(cast, until=story.at(9, days=-1))
    for buyer, yuan in ((cast.beichen, 6_000), (cast.lanting, 2_000), (cast.qinghe, 1_500)):
        scenes.top_up(cast, buyer, yuan=yuan)
    _enter(story, hours)
    _run(story, until=story.at(12, 15, days=-1))
    # Until the agents hand over, shortly before the first hour, nothing happens.
    _pass_time(cast, until=story.at(hours[0]) - TICK)
    _run(story, until=story.at(hours[1]) + 2 * TICK)


def _pass_time(cast: Cast, *, until: datetime) -> None:
    """Let the gates of days pass on which nobody entered anything."""
    while (gate_at := market_rules.next_gate(cast.market.terms, clock.now())) <= until:
        clock.set_virtual(gate_at)
        gates.close_due(now=gate_at)
        scenes.do_jobs()
    clock.set_virtual(until)


def _enter(story: Story, hours: tuple[int, int]) -> None:
    cast = story.cast
    scenes.offer(story, "S1", cast.huailai, cast.huailai_cards, reserve=Decimal("8.00"), hours=hours)
    scenes.offer(story, "S2", cast.zhangbei, cast.zhangbei_cards, reserve=Decimal("10.00"), hours=hours)
    scenes.block(story, "B1", cast.beichen, quantity=12, limit=Decimal("12.50"), hours=hours)
    middle = (hours[0] + 1, hours[1] - 1)
    scenes.hourly(story, "B2", cast.lanting, quantity=7, limit=Decimal("11.00"), hours=middle)
    scenes.hourly(story, "B3", cast.qinghe, quantity=5, limit=Decimal("10.30"), hours=middle)


def _run(story: Story, *, until: datetime) -> None:
    """Do what is due, every quarter of an hour: gates, delivery, and the invoices of a month that ended."""
    while clock.now() < until:
        now = min(clock.now() + TICK, until)
        clock.set_virtual(now)
        gates.close_due(now=now)
        scenes.do_jobs()
        agents.serve(now=now, behaviours=_behaviours(story))
        ticks.run_due(now=now)
        invoice_months.enqueue_due(now=now)
        scenes.do_jobs()


def _behaviours(story: Story) -> dict[UUID, Behaviour]:
    """At the end of a month Huailai is short of cards for 40 minutes; everybody uses a little of every meter."""
    # Before midnight, and on the last day of a month alone.
    late = Shortfall(story.at(22), story.at(22, 40), 5)
    short = () if story.day.day in PLAIN_DAYS else (late,)
    open_leases = Lease.objects.filter(closed_at__isnull=True)
    return {
        lease.id: Behaviour(short if lease.provider_id == story.cast.huailai.id else (), tuple(_readings(lease)), HOUR)
        for lease in open_leases
    }


def _readings(lease: Lease) -> Iterator[Reading]:
    begin, end = lease.starts_at, lease.starts_at + HOUR
    yield Reading("egress_gb", begin, end, Decimal("12.345"))
    yield Reading("energy_kwh", begin, end, Decimal("3.7"))
    yield Reading("tokens_in", begin, end, Decimal(1_234_567))
    yield Reading("storage_gb_months", begin, end, Decimal(500))


def _months(first: date, count: int) -> Iterator[date]:
    for _ in range(count):
        yield first
        first = _next(first)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(TIMEZONE))
