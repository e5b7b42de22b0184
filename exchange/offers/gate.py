"""What rounds and quotes do to offers: lock them at the gate, hold and sell units, let go, end what is past its time.

Every function runs inside the transaction of the round or quote that calls it, after its own lock.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids, rows
from catalog.measures.interval import Interval
from exchange.capacity import services as capacity
from exchange.capacity.rules import hours
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import queries, rules, services
from exchange.offers.errors import OfferChangedMeanwhile, OfferInRound, OfferQuoted
from exchange.offers.models import Offer
from exchange.offers.rules import OfferStatus, Sale


@dataclass(frozen=True, slots=True)
class _Units:
    """The same units counted by hour of capacity, by hour of an offer and by offer (unit-hours).

    What is sold back is counted in its offer alone: it is sold capacity before and after.
    """

    by_capacity: Counter[capacity.Hour]
    by_slot: Counter[tuple[UUID, datetime]]
    by_offer: Counter[UUID]


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
    sold = _counted(sales)
    capacity.sell(sold.by_capacity)
    _sell_from(actor, _locked(sold), sold.by_offer, now=now)
    is_complete = _count(sold, held=0, sold=1)
    assert is_complete, "a sale lies inside its offer's window and what is left of it"


def hold(claims: Sequence[Sale], *, revisions: Mapping[UUID, int]) -> None:
    """Set units of live offers aside for a quote: offered units become held ones in capacity and in the offers.

    `revisions` says by offer which one the quote was made from: its price is that one's. Raises CapacityShort,
    OfferInRound and OfferChangedMeanwhile when the units are not there any more.
    """
    assert connection.in_atomic_block, "a hold and its quote are one transaction"
    held = _counted(claims)
    capacity.hold(held.by_capacity)
    offers = _locked(held)
    for offer in offers:
        if offer.locked_at is not None:
            raise OfferInRound
        if offer.status not in rules.LIVE or offer.revision != revisions[offer.id]:
            raise OfferChangedMeanwhile
        offer.held_unit_hours += held.by_offer[offer.id]
    rows.update(offers, ["held_unit_hours"])
    if not _count(held, held=1, sold=0):
        raise OfferChangedMeanwhile


def release(claims: Sequence[Sale]) -> None:
    """Give held units back to their offers; those that a frozen book has not join the next one."""
    assert connection.in_atomic_block, "a release and its quote are one transaction"
    freed = _counted(claims)
    capacity.release(freed.by_capacity)
    offers = _locked(freed)
    for offer in offers:
        offer.held_unit_hours -= freed.by_offer[offer.id]
    rows.update(offers, ["held_unit_hours"])
    is_complete = _count(freed, held=-1, sold=0)
    assert is_complete, "what is given back was held"


def sell_held(actor: Actor, claims: Sequence[Sale], *, now: datetime) -> None:
    """Book the sale of held units, also while a round has the rest of their offer in its book."""
    assert connection.in_atomic_block, "sales and their trades are one transaction"
    sold = _counted(claims)
    capacity.sell_held(sold.by_capacity)
    offers = _locked(sold)
    for offer in offers:
        offer.held_unit_hours -= sold.by_offer[offer.id]
    _sell_from(actor, offers, sold.by_offer, now=now)
    is_complete = _count(sold, held=-1, sold=1)
    assert is_complete, "what is sold was held"


def take_back(actor: Actor, origin_id: UUID, offering_id: UUID, window: Interval, *, now: datetime) -> None:
    """End the offers of hours in a window that are sold back: their provider delivers them no more.

    One that a round has in its frozen book stays; who buys it has a claim on the provider of their own.
    """
    on_offer = queries.back_from(origin_id, offering_id).filter(
        status__in=rules.LIVE, locked_at__isnull=True, starts_at__gte=window.start, ends_at__lte=window.end
    )
    for offer in on_offer.order_by("id"):
        try:
            with transaction.atomic():
                services.close(actor, offer, OfferStatus.WITHDRAWN, now=now)
        except (OfferInRound, OfferChangedMeanwhile):
            continue  # a gate has just closed over it


def expire_due(actor: Actor, market: Market, *, now: datetime, limit: int = 500) -> int:
    """End the offers that neither a coming gate nor an instant purchase can deliver from; returns how many."""
    gate_at = market_rules.next_gate(market.terms, now)
    by_gate = Q(ends_at__lte=market_rules.horizon(market.terms, gate_at).first_at)
    at_once = Q(instant_price_micros__isnull=True) | Q(
        ends_at__lte=market_rules.instant_horizon(market.terms, now).first_at
    )
    free = queries.live(market.id).filter(locked_at__isnull=True, held_unit_hours=0)
    due = free.filter(by_gate, at_once).select_related("market")
    ended = 0
    for offer in due[:limit]:
        try:
            with transaction.atomic():
                services.close(actor, offer, OfferStatus.EXPIRED, now=now)
        except (OfferInRound, OfferQuoted, OfferChangedMeanwhile):
            continue  # somebody else has it in hand; the next call sees what became of it
        ended += 1
    return ended


def _sell_from(actor: Actor, offers: Sequence[Offer], unit_hours: Mapping[UUID, int], *, now: datetime) -> None:
    """Count unit-hours of locked offers as sold, end those with nothing left, and leave their trail."""
    records, told = [], []
    for offer in offers:
        before = {"status": offer.status, "sold_unit_hours": offer.sold_unit_hours}
        _take_from(offer, unit_hours[offer.id], now=now)
        after = {"status": offer.status, "sold_unit_hours": offer.sold_unit_hours}
        records.append(
            audit.of(actor, "offer.sell", "offer", offer.id, before, after, now=now, organisation_id=offer.seller_id)
        )
        told.append(_sold(offer, now=now))
    rows.update(offers, ["held_unit_hours", "sold_unit_hours", "status", "closed_at"])
    audit.record_all(records)
    events.emit_all(told)


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
    return events.of(f"offer.{offer.status}", "offer", offer.id, offer.seller_id, said, now=now)


def _counted(claims: Sequence[Sale]) -> _Units:
    own_supply = Offer.objects.filter(id__in={claim.offer_id for claim in claims}, origin__isnull=True)
    offering_by_offer = dict(own_supply.values_list("id", "offering_id"))
    units = _Units(Counter(), Counter(), Counter())
    for claim in claims:
        for hour in hours(claim.starts_at, claim.ends_at):
            if claim.offer_id in offering_by_offer:
                units.by_capacity[offering_by_offer[claim.offer_id], hour] += claim.quantity
            units.by_slot[claim.offer_id, hour] += claim.quantity
            units.by_offer[claim.offer_id] += claim.quantity
    return units


def _locked(units: _Units) -> list[Offer]:
    # After their capacity, in the order of the house.
    offers = Offer.objects.select_for_update(no_key=True).prefetch_related("market", "origin")
    return list(offers.filter(id__in=list(units.by_offer)).order_by("id"))


def _count(units: _Units, *, held: int, sold: int) -> bool:
    """Add the units, times `held` and `sold`, to the hours of locked offers; False when some hour has too few left."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exchange_offerslot AS slot
            SET held = slot.held + %s * claim.units, sold = slot.sold + %s * claim.units
            FROM unnest(%s::uuid[], %s::timestamptz[], %s::integer[]) AS claim (offer_id, starts_at, units)
            WHERE claim.offer_id = slot.offer_id AND claim.starts_at = slot.starts_at
              AND slot.quantity >= slot.held + slot.sold + %s * claim.units
            """,
            [
                held,
                sold,
                [key[0] for key in units.by_slot],
                [key[1] for key in units.by_slot],
                list(units.by_slot.values()),
                held + sold,
            ],
        )
        return bool(cursor.rowcount == len(units.by_slot))
