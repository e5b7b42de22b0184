"""The cast of the story: a market, two providers who share a site, three buyers with money.

Every function writes to the database; the clock stands at NOW, noon in Shanghai two days before delivery day D.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationKind
from billing.ledger import queries as balances
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from exchange.auctions import giving_up
from exchange.capacity import services as capacity
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketTerms
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms
from exchange.rounds import services as rounds
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus
from tests.catalog import cast

NOW: Final = cast.NOW
HOUR: Final = timedelta(hours=1)
# Delivery day D starts at midnight in Shanghai, 36 hours after NOW and 12 after the gate.
D: Final = datetime(2026, 5, 2, 16, tzinfo=UTC)
GATE: Final = datetime(2026, 5, 2, 4, tzinfo=UTC)
BUYING: Final = cast.BUYING
SELLING: Final = cast.SELLING

TERMS: Final = MarketTerms(
    currency="CNY",
    timezone="Asia/Shanghai",
    epoch=date(2026, 1, 1),
    grid_slots=1,
    lot_units=1,
    tick_micros=10_000,
    collar_min_micros=0,
    collar_max_micros=100_000_000,
    gate_interval_seconds=24 * 3600,
    gate_offset_seconds=12 * 3600,
    no_cancel_seconds=600,
    lead_seconds=1800,
    horizon_hours=14 * 24,
)


def yuan(amount: str) -> int:
    """Return an amount or price given in yuan as fen, or (times 10,000) micros."""
    whole, _, fraction = amount.partition(".")
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


def micros(price: str) -> int:
    """Return a price in yuan as micros."""
    return yuan(price) * 10_000


def make_operator() -> Actor:
    """Return the operator of the exchange on duty."""
    exchange = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    return cast.acting_for(exchange, frozenset({Capability.OPERATE}))


def two_operators() -> tuple[Actor, Actor]:
    """Return two people of the exchange's staff."""
    exchange = Organisation.objects.get(can_operate=True)
    return _on_duty(exchange, "first"), _on_duty(exchange, "second")


def _on_duty(exchange: Organisation, name: str) -> Actor:
    given = {"display_name": name.title(), "created_at": NOW}
    person, _ = User.objects.get_or_create(email=f"{name}@exchange.example", defaults=given)
    return Actor(exchange.id, person.id, None, frozenset({Capability.OPERATE}), person.email)


def give_up(round_id: UUID, *, reason: str = "The site is on fire.", now: datetime) -> Round:
    """Give a round up as two operators do."""
    first, second = two_operators()
    giving_up.ask(first, round_id, reason=reason, now=now)
    return giving_up.confirm(second, round_id, now=now)


def make_market(operator: Actor, code: str = "ai-cards", **terms: Any) -> Market:
    """Open a market; keywords replace its terms."""
    changed = {name: terms.get(name, getattr(TERMS, name)) for name in TERMS.__dataclass_fields__}
    spec = MarketSpec(
        code=code,
        name="AI cards",
        name_zh="智算卡",
        service_class="ai_acceleration",
        unit="card_hours",
        terms=MarketTerms(**changed),
    )
    return markets.create(operator, spec, now=NOW)


def fund(owner: Organisation, amount: str, currency: str = "CNY") -> None:
    """Bring money into an organisation's wallet."""
    fen = yuan(amount)
    with transaction.atomic():
        ledger.post(
            Source("top_up", owner.id, f"test {amount}"),
            [debit(Code.BANK, fen), credit(Code.WALLET, fen, owner.id)],
            currency=currency,
            effective_at=NOW,
            now=NOW,
        )


def organisation_of(actor: Actor) -> Organisation:
    """Return the organisation that an actor acts for."""
    return Organisation.objects.get(id=actor.organisation())


def funds(actor: Actor) -> tuple[int, int, int]:
    """Return balance, held and available in fen."""
    row = balances.funds(actor.organisation(), "CNY")
    return row.balance_minor, row.held_minor, row.available_minor


@dataclass(frozen=True)
class Story:
    """Everybody in the story, before anything is offered or ordered."""

    operator: Actor
    market: Market
    huailai: Actor
    zhangbei: Actor
    huailai_cards: Offering
    zhangbei_cards: Offering
    beichen: Actor
    lanting: Actor
    qinghe: Actor


def make_story(**terms: Any) -> Story:
    """Set the stage: the market, 16 listed cards of each provider all day on D, and funded buyers."""
    operator = make_operator()
    market = make_market(operator, **terms)
    site = cast.listed_site(
        operator, "zjk-1", name="Zhangjiakou 1", cluster="cn-jingjinji-zhangjiakou", green_percent=85
    )
    sellers: list[Actor] = []
    cards: list[Offering] = []
    for name in ("Huailai Compute", "Zhangbei Green DC"):
        seller = cast.acting_for(cast.organisation(name, can_sell=True), SELLING)
        offering = cast.listed_offering(operator, seller, site)
        capacity.list_capacity(
            seller, offering_id=offering.id, starts_at=D, ends_at=D + 24 * HOUR, quantity=16, now=NOW
        )
        sellers.append(seller)
        cards.append(offering)
    buyers = [
        buyer(name, amount)
        for name, amount in (("Beichen AI Lab", "6000"), ("Lanting Robotics", "2000"), ("Qinghe Studio", "1000"))
    ]
    (huailai, zhangbei), (huailai_cards, zhangbei_cards), (beichen, lanting, qinghe) = sellers, cards, buyers
    return Story(operator, market, huailai, zhangbei, huailai_cards, zhangbei_cards, beichen, lanting, qinghe)


def buyer(name: str, amount: str) -> Actor:
    """Return a trader of a new buyer with money."""
    lab = cast.organisation(name, kind=OrganisationKind.LAB, can_buy=True)
    fund(lab, amount)
    return cast.acting_for(lab, BUYING)


def offer_spec(
    story: Story, offering: Offering, reserve: str, *, quantity: int = 16, first: int = 0, last: int = 24
) -> OfferSpec:
    """Return an offer of cards from hour `first` to `last` of D."""
    terms = OfferTerms(quantity, D + first * HOUR, D + last * HOUR, micros(reserve))
    return OfferSpec(story.market.id, offering.id, terms)


def place_offer(story: Story, seller: Actor, offering: Offering, reserve: str, **fields: Any) -> Offer:
    """Place an offer on D."""
    return offers.place(seller, offer_spec(story, offering, reserve, **fields), now=NOW)


def block(story: Story, limit: str, **fields: Any) -> OrderSpec:
    """Return a block order; by default the story's B1: 16 cards, all-or-none, single site, all of D."""
    single_site = fields.pop("single_site", True)
    first, last = fields.pop("first", 0), fields.pop("last", 24)
    given: dict[str, Any] = {
        "quantity_max": 16,
        "quantity_min": fields.get("quantity_max", 16),
        "hours": last - first,
        "earliest_at": D + first * HOUR,
        "latest_at": D + last * HOUR,
        "needs": Needs(min_memory_gb=64),
        "limit_micros": micros(limit),
    }
    terms = OrderTerms(**(given | fields))
    return OrderSpec(market_id=story.market.id, kind=OrderKind.BLOCK, terms=terms, single_site=single_site)


def hourly(story: Story, limit: str, **fields: Any) -> OrderSpec:
    """Return an hourly order; by default the story's B2: up to 12 cards from 08 to 20."""
    first, last = fields.pop("first", 8), fields.pop("last", 20)
    given: dict[str, Any] = {
        "quantity_max": 12,
        "quantity_min": None,
        "hours": None,
        "earliest_at": D + first * HOUR,
        "latest_at": D + last * HOUR,
        "needs": Needs(min_memory_gb=64),
        "limit_micros": micros(limit),
    }
    return OrderSpec(market_id=story.market.id, kind=OrderKind.HOURLY, terms=OrderTerms(**(given | fields)))


def place_order(actor: Actor, spec: OrderSpec) -> Order:
    """Place an order at NOW."""
    return orders.place(actor, spec, now=NOW)


def end_round(story: Story) -> None:
    """Let the round of the first gate be over, as far as what comes after it is concerned."""
    closing = Round.objects.get(market=story.market, scheduled_at=GATE)
    rounds.move(Actor.system("test"), closing, RoundStatus.VOID, now=GATE, voided_at=GATE, void_reason="a test")


viewer = partial(cast.acting_for, capabilities=frozenset({Capability.VIEW_BUYING, Capability.VIEW_SELLING}))
