"""Accept a quote: funds, contracts, capacity, trades and leases in one transaction, as a round settles an order.

The quote's row is locked first, so of two acceptances one finds it decided, and it neither expires nor is withdrawn
meanwhile. Then the order of the house: the wallet, capacity rows, offers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.terms import SlotTerms
from billing.landings import services as landings
from billing.ledger import services as ledger
from billing.ledger.errors import InsufficientFunds
from billing.ledger.models import Hold
from billing.ledger.rules import Source
from catalog.measures.interval import HOUR
from catalog.measures.money import Money
from catalog.offerings import queries as offerings
from exchange.leases import services as leases
from exchange.leases.services import Delivery
from exchange.markets import queries as markets
from exchange.offers import gate as offers
from exchange.orders.errors import BuyerNotActive
from exchange.quotes import queries, rules, services
from exchange.quotes.errors import QuoteSupplyGone, QuoteUnfunded
from exchange.quotes.models import Quote, QuoteLine, QuotePart
from exchange.quotes.rules import QuoteStatus
from exchange.trades import services as trades
from exchange.trades.models import Trade

HOLD_PURPOSE = "purchase"


@transaction.atomic
def accept(actor: Actor, quote_id: UUID, *, now: datetime) -> Quote:
    """Buy what a quote holds, at its price; the database's clock decides whether it is in time.

    Raises QuoteNotFound, QuoteNotOpen, QuoteExpired, MarketSuspended, BuyerNotActive, QuoteSupplyGone, QuoteUnfunded;
    a refusal leaves the quote as it was.
    """
    actor.require(Capability.TRADE)
    quote = services.locked(actor, quote_id)
    now = max(now, clock.now())  # after the lock: whoever waited for it may be too late
    rules.check_open(quote.status, expires_at=quote.expires_at, now=now)
    parts = list(quote.parts.select_related("offer__offering").order_by("id"))
    lines = list(QuoteLine.objects.filter(part__quote=quote).order_by("part_id", "starts_at"))
    _check_may_trade(quote, parts)
    quote.hold = _held(quote, now=now)
    made = {part.id: _contract(actor, quote, part, lines, now=now) for part in parts}
    offers.sell_held(actor, queries.claims(quote), now=now)
    quote.status = QuoteStatus.ACCEPTED
    quote.closed_at = now
    quote.save(update_fields=["status", "closed_at", "hold"])
    services.record(actor, quote, before={"status": str(QuoteStatus.OPEN)}, now=now)
    _trade(actor, quote, parts, lines, made, now=now)
    deliveries = [
        Delivery(made[part.id], part.offer.offering_id, line.quantity, line.starts_at, line.ends_at)
        for part in parts
        for line in _of(part, lines)
    ]
    leases.schedule(None, deliveries, now=now)
    return quote


def _check_may_trade(quote: Quote, parts: Sequence[QuotePart]) -> None:
    """Refuse what may not be bought or sold any more; a book would leave it out."""
    markets.trading(quote.market_id)
    if quote.buyer.status != OrganisationStatus.ACTIVE:
        raise BuyerNotActive(quote.buyer.status)
    provider_ids = {part.offer.provider_id for part in parts}
    offering_ids = {part.offer.offering_id for part in parts}
    active = Organisation.objects.filter(id__in=provider_ids, status=OrganisationStatus.ACTIVE).count()
    listed = offerings.listed().filter(id__in=offering_ids).count()
    if (active, listed) != (len(provider_ids), len(offering_ids)):
        raise QuoteSupplyGone


def _held(quote: Quote, *, now: datetime) -> Hold:
    """Hold the quote's price from the wallet; raises WalletStopped and QuoteUnfunded."""
    landings.check_open(quote.buyer_id, quote.currency, now=now)
    try:
        return ledger.place_hold(
            quote.buyer_id,
            quote.total_minor,
            currency=quote.currency,
            source=Source("quote", quote.id, HOLD_PURPOSE),
            project_id=quote.project_id,
            now=now,
        )
    except InsufficientFunds as refusal:  # before anything is written
        raise QuoteUnfunded(
            needed=Money(refusal.needed_minor, quote.currency),
            available=Money(refusal.available_minor, quote.currency),
            largest_quantity=None,
        ) from refusal


def _of(part: QuotePart, lines: Sequence[QuoteLine]) -> list[QuoteLine]:
    return [line for line in lines if line.part_id == part.id]


def _contract(actor: Actor, quote: Quote, part: QuotePart, lines: Sequence[QuoteLine], *, now: datetime) -> Contract:
    """Open the contract of one part: one offer, one price, so that its terms are that offer's."""
    return contracts.open_contract(
        actor,
        source=Source("quote_part", part.id, "trade"),
        buyer_id=quote.buyer_id,
        provider_id=part.offer.provider_id,
        project_id=quote.project_id,
        market_code=quote.market.code,
        currency=quote.currency,
        slots=[
            SlotTerms(
                offering_id=part.offer.offering_id,
                starts_at=line.starts_at,
                ends_at=line.ends_at,
                quantity=line.quantity,
                unit=quote.market.unit,
                price_micros=part.price_micros,
                return_credit_ppm=part.offer.credits_ppm[0],
                pause_credit_ppm=part.offer.credits_ppm[1],
                resale_commission_ppm=part.offer.credits_ppm[2],
            )
            for line in _of(part, lines)
        ],
        hold_id=quote.hold_id,
        hold_at_most_minor=part.total_minor,
        fee_version=quote.fee_version,
        now=now,
    )


def _trade(
    actor: Actor,
    quote: Quote,
    parts: Sequence[QuotePart],
    lines: Sequence[QuoteLine],
    made: Mapping[UUID, Contract],
    *,
    now: datetime,
) -> None:
    """Write a trade for each line."""
    trades.make(
        actor,
        (
            Trade(
                market=quote.market,
                quote=quote,
                offer=part.offer,
                contract=made[part.id],
                buyer_id=quote.buyer_id,
                provider_id=part.offer.provider_id,
                starts_at=line.starts_at,
                ends_at=line.ends_at,
                quantity=line.quantity,
                unit_hours=line.quantity * ((line.ends_at - line.starts_at) // HOUR),
                price_micros=part.price_micros,
                currency=quote.currency,
                offer_reserve_micros=part.reserve_micros,
                created_at=now,
            )
            for part in parts
            for line in _of(part, lines)
        ),
        now=now,
    )
