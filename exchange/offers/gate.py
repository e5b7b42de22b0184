"""What a round does to offers: lock them at the gate, sell from them, let them go, end those past their time.

Every function runs inside the transaction of the round that calls it, after the round's own lock.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids, rows
from exchange.capacity import services as capacity
from exchange.capacity.rules import hours
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import queries, rules, services
from exchange.offers.errors import OfferChangedMeanwhile, OfferInRound
from exchange.offers.models import Offer
from exchange.offers.rules import OfferStatus, Sale


def lock_for_gate(market_id: UUID, *, gate_at: datetime, now: datetime) -> list[Offer]:
    """Lock every live offer that was accepted before the gate and is in no other round; the oldest number first."""
    offers = queries.live(market_id).filter(locked_at__isnull=True, created_at__lt=gate_at)
    locked = list(offers.select_for_update(no_key=True).order_by("id"))
    Offer.objects.filter(id__in=[offer.id for offer in locked]).update(locked_at=now)
    return sorted(locked, key=lambda offer: (offer.seq, offer.id))


def unlock(offer_ids: Iterable[UUID]) -> None:
    """Let offers go after their round: they may be changed, and join the next one."""
    Offer.objects.filter(id__in=list(offer_ids), locked_at__isnull=False).update(locked_at=None)


def sell(actor: Actor, sales: Sequence[Sale], *, now: datetime) -> None:
    """Book sales, of one order or of many: offered units become sold ones in capacity and in the offers.

    The rows' constraints have the last word: selling more than is left fails.
    """
    assert connection.in_atomic_block, "sales and their trades are one transaction"
    if not sales:
        return
    offering_by_offer = dict(
        Offer.objects.filter(id__in={sale.offer_id for sale in sales}).values_list("id", "offering_id")
    )
    by_capacity: Counter[capacity.Hour] = Counter()
    by_slot: Counter[tuple[UUID, datetime]] = Counter()
    by_offer: Counter[UUID] = Counter()
    for sale in sales:
        for hour in hours(sale.starts_at, sale.ends_at):
            by_capacity[offering_by_offer[sale.offer_id], hour] += sale.quantity
            by_slot[sale.offer_id, hour] += sale.quantity
            by_offer[sale.offer_id] += sale.quantity
    capacity.sell(by_capacity)
    locked = Offer.objects.select_for_update(of=("self",), no_key=True).select_related("market")
    offers = list(locked.filter(id__in=list(by_offer)).order_by("id"))
    records, told = [], []
    for offer in offers:
        before = {"status": offer.status, "sold_unit_hours": offer.sold_unit_hours}
        _take_from(offer, by_offer[offer.id], now=now)
        after = {"status": offer.status, "sold_unit_hours": offer.sold_unit_hours}
        records.append(
            audit.of(actor, "offer.sell", "offer", offer.id, before, after, now=now, organisation_id=offer.provider_id)
        )
        told.append(_sold(offer, now=now))
    rows.update(offers, ["sold_unit_hours", "status", "closed_at"])
    audit.record_all(records)
    events.emit_all(told)
    _count_sold(by_slot)


def expire_due(actor: Actor, market: Market, *, now: datetime, limit: int = 500) -> int:
    """End the offers that no coming gate can deliver from; returns how many there were."""
    gate_at = market_rules.next_gate(market.terms, now)
    first_at = market_rules.horizon(market.terms, gate_at).first_at
    due = queries.live(market.id).filter(ends_at__lte=first_at, locked_at__isnull=True).select_related("market")
    ended = 0
    for offer in due[:limit]:
        try:
            with transaction.atomic():
                services.close(actor, offer, OfferStatus.EXPIRED, now=now)
        except (OfferInRound, OfferChangedMeanwhile):
            continue  # somebody else has it in hand; the next call sees what became of it
        ended += 1
    return ended


def _take_from(offer: Offer, unit_hours: int, *, now: datetime) -> None:
    """Set what a sale changes of a locked offer."""
    offer.sold_unit_hours += unit_hours
    status = OfferStatus.PARTLY_SOLD if offer.open_unit_hours else OfferStatus.SOLD
    if offer.status != status:
        rules.check_move(offer.status, status)
    offer.status = status
    if status is OfferStatus.SOLD:
        offer.closed_at = now


def _sold(offer: Offer, *, now: datetime) -> Event:
    said = {
        "offer": ids.spell("off", offer.id),
        "market": offer.market.code,
        "status": offer.status,
        "sold_unit_hours": offer.sold_unit_hours,
        "open_unit_hours": offer.open_unit_hours,
    }
    return events.of(f"offer.{offer.status}", "offer", offer.id, offer.provider_id, said, now=now)


def _count_sold(by_slot: Counter[tuple[UUID, datetime]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exchange_offerslot AS slot SET sold = slot.sold + sale.units
            FROM unnest(%s::uuid[], %s::timestamptz[], %s::integer[]) AS sale (offer_id, starts_at, units)
            WHERE sale.offer_id = slot.offer_id AND sale.starts_at = slot.starts_at
            """,
            [[key[0] for key in by_slot], [key[1] for key in by_slot], list(by_slot.values())],
        )
        assert cursor.rowcount == len(by_slot), "a sale lies inside its offer's window"
