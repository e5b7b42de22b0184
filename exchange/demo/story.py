"""One story with exact numbers, told through the public services on a virtual clock.

The journey test checks every number of it, the demo market holds it completed, and the tour in
the docs walks through what it leaves. `day` is the delivery day in the market's zone.

Jobs are done as they fall due on the virtual clock, by this process: tell the story while no
worker looks at the same database.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.jobs import services as jobs
from accounts.organisations.models import Organisation
from billing.payments import services as payments
from billing.payments.rules import BankLine
from catalog.measures.interval import HOUR
from catalog.measures.money import Money
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour, Reading, Shortfall
from exchange.auctions import gates
from exchange.demo import cast as casts
from exchange.demo.cast import CARD, CURRENCY, MARKET, TIMEZONE, Cast, acting_for
from exchange.leases import ticks
from exchange.leases.models import Lease
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms

TICK: Final = timedelta(minutes=15)  # not longer than the gap after which a lease is impaired
MICROS: Final = 1_000_000


class Scene(StrEnum):
    """What has just happened."""

    ASSEMBLED = "assembled"
    TOPPED_UP = "topped_up"
    ENTERED = "entered"
    CLEARED = "cleared"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    BILLED = "billed"


@dataclass
class Story:
    """The cast and what it has entered so far."""

    day: date
    cast: Cast
    offers: dict[str, Offer] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    def at(self, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
        """Return an instant of the delivery day, or so many days from it, in the market's zone."""
        local = datetime.combine(self.day + timedelta(days=days), time(), ZoneInfo(TIMEZONE))
        return local + timedelta(hours=hour, minutes=minute)


def play(day: date, *, market_code: str = MARKET) -> Story:
    """Tell the whole story and return what it has left."""
    told = list(scenes(day, market_code=market_code))
    return told[-1][1]


def scenes(day: date, *, market_code: str = MARKET) -> Generator[tuple[Scene, Story], None, None]:
    """Tell the story scene by scene; between two of them the clock stands where the scene ended."""
    dawn = datetime.combine(day, time(), ZoneInfo(TIMEZONE))
    with clock.travel(dawn - timedelta(days=3)):
        story = Story(day, casts.assemble(market_code=market_code))
        yield Scene.ASSEMBLED, story
        clock.set_virtual(story.at(9, days=-2))
        _top_up(story)
        yield Scene.TOPPED_UP, story
        clock.set_virtual(story.at(10, days=-1))
        _enter(story)
        yield Scene.ENTERED, story
        clock.set_virtual(story.at(12, days=-1))
        gates.close_due(now=clock.now())
        do_jobs()
        yield Scene.CLEARED, story
        _deliver(story, until=story.at(12, 15, days=-1))
        # Until the agents hand over, shortly before midnight, nothing happens.
        clock.set_virtual(story.at(23, 45, days=-1))
        _deliver(story, until=story.at(0, 10))
        yield Scene.HANDED_OVER, story
        _deliver(story, until=story.at(12))
        # The next day's gate: nobody has entered anything for it.
        gates.close_due(now=clock.now())
        do_jobs()
        _deliver(story, until=story.at(24))
        yield Scene.DELIVERED, story
        do_jobs()
        yield Scene.BILLED, story


def do_jobs() -> None:
    """Do every job that is due at the present instant."""
    while jobs.run_due(limit=50, now=clock.now()):
        pass


def _top_up(story: Story) -> None:
    """Three transfers arrive and finance confirms them."""
    cast = story.cast
    for buyer, yuan in ((cast.beichen, 6_000), (cast.lanting, 2_000), (cast.qinghe, 1_000)):
        top_up(cast, buyer, yuan=yuan)


def top_up(cast: Cast, buyer: Organisation, *, yuan: int) -> None:
    """Let a transfer arrive at the present instant, and finance confirm it."""
    finance = acting_for(cast.operator, Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    now = clock.now()
    amount = Money(yuan * 100, CURRENCY)
    asked = payments.request_top_up(acting_for(buyer, Capability.TRADE), amount, now=now)
    line = BankLine(
        bank_reference=f"BANK-{asked.reference}",
        amount=amount,
        value_date=now.astimezone(ZoneInfo(TIMEZONE)).date(),
        payer=buyer.name,
        remittance=asked.reference,
    )
    payments.confirm(finance, asked.id, line, now=now)


def _enter(story: Story) -> None:
    """Enter S1, S2, B1, B2 and B3, in this order, a minute apart."""
    cast = story.cast
    steps: tuple[Callable[[], None], ...] = (
        lambda: offer(story, "S1", cast.huailai, cast.huailai_cards, reserve=Decimal("8.00")),
        lambda: offer(story, "S2", cast.zhangbei, cast.zhangbei_cards, reserve=Decimal("10.00")),
        lambda: block(story, "B1", cast.beichen, quantity=16, limit=Decimal("12.50")),
        lambda: hourly(story, "B2", cast.lanting, quantity=12, limit=Decimal("11.00")),
        lambda: hourly(story, "B3", cast.qinghe, quantity=8, limit=Decimal("9.00")),
    )
    for step in steps:
        step()
        clock.set_virtual(clock.now() + timedelta(minutes=1))


def offer(
    story: Story,
    name: str,
    provider: Organisation,
    offering: Offering,
    *,
    reserve: Decimal,
    hours: tuple[int, int] = (0, 24),
) -> None:
    """Offer all 16 cards, by default the whole day."""
    terms = OfferTerms(16, story.at(hours[0]), story.at(hours[1]), _micros(reserve))
    spec = OfferSpec(story.cast.market.id, offering.id, terms)
    actor = acting_for(provider, Capability.LIST)
    story.offers[name] = offers.place(actor, spec, now=clock.now(), lists_capacity=True)


def block(
    story: Story, name: str, buyer: Organisation, *, quantity: int, limit: Decimal, hours: tuple[int, int] = (0, 24)
) -> None:
    """All or none of the cards, at one site, by default the whole day."""
    terms = OrderTerms(
        quantity_max=quantity,
        quantity_min=quantity,
        hours=hours[1] - hours[0],
        earliest_at=story.at(hours[0]),
        latest_at=story.at(hours[1]),
        needs=Needs(models=(CARD,)),
        limit_micros=_micros(limit),
    )
    _place(
        story,
        name,
        buyer,
        OrderSpec(market_id=story.cast.market.id, kind=OrderKind.BLOCK, terms=terms, single_site=True),
    )


def hourly(
    story: Story, name: str, buyer: Organisation, *, quantity: int, limit: Decimal, hours: tuple[int, int] = (8, 20)
) -> None:
    """Up to so many cards in each hour, by default from 08:00 to 20:00."""
    terms = OrderTerms(
        quantity_max=quantity,
        quantity_min=None,
        hours=None,
        earliest_at=story.at(hours[0]),
        latest_at=story.at(hours[1]),
        needs=Needs(models=(CARD,)),
        limit_micros=_micros(limit),
    )
    _place(story, name, buyer, OrderSpec(market_id=story.cast.market.id, kind=OrderKind.HOURLY, terms=terms))


def _place(story: Story, name: str, buyer: Organisation, spec: OrderSpec) -> None:
    story.orders[name] = orders.place(acting_for(buyer, Capability.TRADE), spec, now=clock.now())


def _deliver(story: Story, *, until: datetime) -> None:
    """Let the agents and the clock of leases run, every quarter of an hour."""
    behaviours = _behaviours(story)
    while clock.now() < until:
        clock.set_virtual(min(clock.now() + TICK, until))
        agents.serve(now=clock.now(), behaviours=behaviours)
        ticks.run_due(now=clock.now())


def _behaviours(story: Story) -> dict[UUID, Behaviour]:
    """Huailai has 12 of 16 cards from 13:00 to 14:00, and its customer moves 125.5 GB out in the evening."""
    short = Shortfall(story.at(13), story.at(14), 12)
    egress = Reading("egress_gb", story.at(20), story.at(21), Decimal("125.5"))
    plain = Behaviour(readings=(), step=HOUR)
    leases = Lease.objects.filter(contract__market_code=story.cast.market.code, closed_at__isnull=True)
    return {
        lease.id: Behaviour((short,), (egress,), HOUR) if lease.provider_id == story.cast.huailai.id else plain
        for lease in leases
    }


def _micros(price: Decimal) -> int:
    return int(price * MICROS)
