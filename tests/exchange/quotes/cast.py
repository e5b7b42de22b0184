"""Instant supply and quotes on the delivery day of the story."""

from typing import Any

from accounts.actors.actor import Actor
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from exchange.capacity.models import CapacitySlot
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.quotes import services as quotes
from exchange.quotes.models import Quote
from exchange.quotes.rules import QuoteSpec
from tests.exchange.cast import HOUR, NOW, D, Story, micros


def sell_at_once(
    story: Story,
    seller: Actor,
    offering: Offering,
    price: str,
    *,
    reserve: str = "8.00",
    quantity: int = 16,
    first: int = 0,
    last: int = 24,
) -> Offer:
    """Offer cards on D with an instant price."""
    terms = OfferTerms(quantity, D + first * HOUR, D + last * HOUR, micros(reserve), micros(price))
    return offers.place(seller, OfferSpec(story.market.id, offering.id, terms), now=NOW)


def wanted(story: Story, quantity: int = 4, *, first: int = 8, last: int = 10, **fields: Any) -> QuoteSpec:
    """Return a rectangle on D to be quoted."""
    given: dict[str, Any] = {"needs": Needs(min_memory_gb=64)} | fields
    return QuoteSpec(
        market_id=story.market.id, quantity=quantity, starts_at=D + first * HOUR, ends_at=D + last * HOUR, **given
    )


def ask(story: Story, actor: Actor, quantity: int = 4, **fields: Any) -> Quote:
    """Ask for a quote at NOW."""
    return quotes.ask(actor, wanted(story, quantity, **fields), now=NOW)


def lines(quote: Quote) -> list[tuple[str, int, int, int]]:
    """Return what a quote holds: provider, first and last hour of D, units."""
    return sorted(
        (
            part.offer.provider.name,
            (line.starts_at - D) // HOUR,
            (line.ends_at - D) // HOUR,
            line.quantity,
        )
        for part in quote.parts.all()
        for line in part.lines.all()
    )


def counted(offering: Offering, hour: int) -> tuple[int, int, int]:
    """Return the units of an hour of D that are offered, held and sold."""
    row = CapacitySlot.objects.get(offering=offering, starts_at=D + hour * HOUR)
    return row.offered, row.held, row.sold


def check_supply_adds_up() -> None:
    """What is offered, held and sold in capacity is what the hours of offers say, and those what offers say."""
    for row in CapacitySlot.objects.all():
        slots = [
            slot
            for offer in Offer.objects.filter(offering=row.offering)
            for slot in offer.slots.filter(starts_at=row.starts_at)
        ]
        assert row.offered + row.held + row.sold <= row.listed
        assert row.offered == sum(slot.quantity - slot.held - slot.sold for slot in slots)
        assert row.held == sum(slot.held for slot in slots)
        assert row.sold == sum(slot.sold for slot in slots)
    for offer in Offer.objects.all():
        assert offer.held_unit_hours == sum(slot.held for slot in offer.slots.all())
        assert offer.sold_unit_hours == sum(slot.sold for slot in offer.slots.all())
