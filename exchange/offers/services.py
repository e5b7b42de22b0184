"""Place, amend and withdraw offers.

Locks in the order of the house: the round first, then capacity rows, then the offer. An offer is read before
its capacity is locked and compared again under its own lock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.contracts import drafting
from billing.contracts import queries as contracts
from billing.contracts.models import Contract
from catalog.measures.interval import Interval
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering
from exchange.capacity import services as capacity
from exchange.capacity.errors import CapacityTaken
from exchange.markets import entries
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.offers import queries, rules
from exchange.offers.errors import (
    OfferChangedMeanwhile,
    OfferingNotTraded,
    OfferInRound,
    OfferInvalid,
    OfferPartlySold,
    OfferQuoted,
    OfferUnchanged,
    OwnOrderCouldMeet,
    SellerNotActive,
)
from exchange.offers.models import Offer, OfferRevision, OfferSlot
from exchange.offers.rules import OfferSpec, OfferStatus, OfferTerms
from exchange.rounds import collars
from exchange.rounds import services as rounds


@transaction.atomic
def place(actor: Actor, spec: OfferSpec, *, now: datetime, lists_capacity: bool = False) -> Offer:
    """Offer units of an own listed offering in a market.

    The units must be listed and free in every hour; with `lists_capacity` what is missing is listed in the same
    step. Raises MarketUnknown, MarketSuspended, SellerNotActive, OfferingNotTraded, OfferInvalid, OwnOrderCouldMeet,
    CapacityShort.
    """
    actor.require(Capability.LIST)
    provider = _seller(actor)
    market = markets.trading(spec.market_id)
    entry = rounds.join_open_round(market, now=now)
    offering = _traded(market, provider, spec.offering_id)
    terms = collars.terms_for(market, [offering.resource_type.code], now=entry.accepted_at)
    problems = tuple(rules.spec_problems(terms, spec, gate_at=entry.round.scheduled_at, now=entry.accepted_at))
    if problems:
        raise OfferInvalid("The offer does not fit the rules of the market.", problems)
    _check_not_with_oneself(market, offering, spec.terms, seller_id=provider.id)
    changes = {(offering.id, hour): units for hour, units in spec.terms.by_hour.items()}
    if lists_capacity:
        capacity.list_what_is_missing(changes)
    capacity.change_offered(changes)
    usual = drafting.credits_at(entry.accepted_at)
    offer = Offer(
        market=market,
        offering=offering,
        provider=provider,
        pause_credit_ppm=usual.pause_ppm if spec.pause_credit_ppm is None else spec.pause_credit_ppm,
        return_credit_ppm=usual.return_ppm if spec.return_credit_ppm is None else spec.return_credit_ppm,
        resale_commission_ppm=usual.resale_commission_ppm,
    )
    return _enter(actor, offer, spec.terms, now=entry.accepted_at)


def place_back(
    actor: Actor, market: Market, origin: Contract, offering_id: UUID, terms: OfferTerms, *, entry: rounds.Entry
) -> Offer:
    """Offer units that the buyer of a contract does not need.

    The provider delivers them whoever buys them, so that no capacity is claimed, and the offer states what the
    contract does. The caller has joined the round, holds the contract's lock and has checked that the units are there.
    Raises OfferingNotTraded, OfferInvalid, OwnOrderCouldMeet.
    """
    offering = _traded(market, origin.provider, offering_id)
    rule = collars.terms_for(market, [offering.resource_type.code], now=entry.accepted_at)
    spec = OfferSpec(market.id, offering_id, terms)
    problems = tuple(rules.spec_problems(rule, spec, gate_at=entry.round.scheduled_at, now=entry.accepted_at))
    if problems:
        raise OfferInvalid("The offer does not fit the rules of the market.", problems)
    _check_not_with_oneself(market, offering, terms, seller_id=origin.buyer_id)
    window = Interval(terms.starts_at, terms.ends_at)
    runs = [slot for _, slot in contracts.kept(origin) if slot.offering_id == offering_id]
    own = [slot for slot in runs if slot.interval.overlaps(window)]
    offer = Offer(
        market=market,
        offering=offering,
        provider=origin.provider,
        origin=origin,
        pause_credit_ppm=min(slot.pause_credit_ppm or 0 for slot in own),
        return_credit_ppm=min(slot.return_credit_ppm or 0 for slot in own),
        resale_commission_ppm=min(slot.resale_commission_ppm or 0 for slot in own),
    )
    return _enter(actor, offer, terms, now=entry.accepted_at)


def _enter(actor: Actor, offer: Offer, terms: OfferTerms, *, now: datetime) -> Offer:
    """Write a new offer down with its hours, its first revision and its trail."""
    offer.quantity, offer.starts_at, offer.ends_at = terms.quantity, terms.starts_at, terms.ends_at
    offer.reserve_micros, offer.instant_price_micros = terms.reserve_micros, terms.instant_price_micros
    offer.seq, offer.status = entries.next_number(), OfferStatus.OPEN
    offer.total_unit_hours = terms.unit_hours
    offer.created_at = offer.revised_at = now
    offer.save(force_insert=True)
    OfferSlot.objects.bulk_create(
        [OfferSlot(offer=offer, starts_at=hour, quantity=units) for hour, units in terms.by_hour.items()]
    )
    _record(actor, offer, "placed", before=None, now=now)
    return offer


@transaction.atomic
def amend(actor: Actor, offer_id: UUID, *, now: datetime, **changes: Any) -> Offer:
    """Change what an offer says; `changes` are fields of OfferTerms.

    A lower reserve, a smaller quantity or window and any instant price keep the offer's place in the queue,
    everything else takes a new one. In the no-cancel phase only changes for the better are taken. What a quote holds
    stays at the price that was quoted. Raises OfferNotFound, OfferMoveRefused, OfferInRound, OfferUnchanged,
    OfferInvalid, OfferPartlySold, OfferQuoted, OwnOrderCouldMeet, CapacityShort, NoCancelPhase, OfferChangedMeanwhile.
    """
    actor.require(Capability.LIST)
    read = queries.own(actor, offer_id)
    before = _terms(read)
    after = replace(before, **changes)
    if after == before:
        raise OfferUnchanged
    entry = _enter_change(read, is_improvement=rules.is_improvement(before, after), now=now)
    _check_amended(read, before, after, entry)
    by_hour = rules.changes_by_hour(before.by_hour, after.by_hour)
    _change_offered(read, by_hour)
    offer = _lock(read)
    snapshot = OfferRevision.fields_of(offer)
    offer.quantity, offer.starts_at, offer.ends_at = after.quantity, after.starts_at, after.ends_at
    offer.reserve_micros, offer.instant_price_micros = after.reserve_micros, after.instant_price_micros
    offer.total_unit_hours = after.unit_hours
    offer.revision += 1
    offer.revised_at = entry.accepted_at
    if not rules.keeps_place(before, after):
        offer.seq = entries.next_number()
    offer.save(
        update_fields=[
            "quantity", "starts_at", "ends_at", "reserve_micros", "instant_price_micros", "total_unit_hours",
            "revision", "revised_at", "seq",
        ]
    )  # fmt: skip
    _write_slots(offer, by_hour, after)
    _record(actor, offer, "amended", before=snapshot, now=entry.accepted_at)
    return offer


@transaction.atomic
def withdraw(actor: Actor, offer_id: UUID, *, now: datetime) -> Offer:
    """Take what is left of an offer off the market and free its capacity.

    Raises OfferNotFound, OfferMoveRefused, OfferInRound, OfferQuoted, NoCancelPhase, OfferChangedMeanwhile.
    """
    actor.require(Capability.LIST)
    return take_off(actor, queries.own(actor, offer_id), now=now)


def take_off(actor: Actor, read: Offer, *, now: datetime) -> Offer:
    """Withdraw an offer that its seller was found to own; raises as `withdraw`."""
    rules.check_move(read.status, OfferStatus.WITHDRAWN)
    if read.locked_at is not None:
        raise OfferInRound
    entry = rounds.check_may_lower(read.market, accepted_at=read.revised_at, now=now)
    return close(actor, read, OfferStatus.WITHDRAWN, now=entry.accepted_at)


def close(actor: Actor, read: Offer, status: OfferStatus, *, now: datetime) -> Offer:
    """End an offer that has something left, giving the unsold units of every hour back to the offering.

    Raises OfferInRound, OfferQuoted, OfferChangedMeanwhile.
    """
    if read.held_unit_hours:
        raise OfferQuoted
    # Read before the locks: what is held or sold meanwhile shows in the offer's own counters, which _lock compares.
    unsold = {slot.starts_at: slot.quantity - slot.sold for slot in read.slots.filter(quantity__gt=F("sold"))}
    _change_offered(read, {hour: -units for hour, units in unsold.items()})
    offer = _lock(read)
    before = {"status": offer.status, "open_unit_hours": offer.open_unit_hours}
    rules.check_move(offer.status, status)
    offer.status = status
    offer.closed_unit_hours = offer.total_unit_hours - offer.sold_unit_hours
    offer.closed_at = now
    offer.save(update_fields=["status", "closed_unit_hours", "closed_at"])
    offer.slots.filter(quantity__gt=F("sold")).update(quantity=F("sold"))
    after = {"status": offer.status, "open_unit_hours": 0}
    audit.record(actor, f"offer.{status}", "offer", offer.id, before, after, now=now, organisation_id=offer.seller_id)
    _emit(offer, status.value, now=now)
    return offer


def _seller(actor: Actor) -> Organisation:
    provider = Organisation.objects.get(id=actor.organisation())
    if provider.status != OrganisationStatus.ACTIVE or not provider.can_sell:
        raise SellerNotActive(provider.status if provider.can_sell else "no seller")
    return provider


def _traded(market: Market, provider: Organisation, offering_id: UUID) -> Offering:
    """Return the provider's listed offering of the market's kind; raises OfferingNotTraded."""
    offering = offerings.with_cells(Offering.objects.filter(id=offering_id, provider=provider)).first()
    if offering is None:
        raise OfferingNotTraded("expected one of your own offerings, got an id that is none of them")
    if not offerings.listed().filter(id=offering_id).exists():
        raise OfferingNotTraded(f"expected a listed offering at a listed site, got one that is {offering.status}")
    if not markets.trades(market, offering):
        raise OfferingNotTraded(
            f"expected an offering of {market.service_class} in {market.unit}, got {offering.resource_type.code} in "
            f"{cells.unit(offering)}"
        )
    return offering


def _check_not_with_oneself(market: Market, offering: Offering, terms: OfferTerms, *, seller_id: UUID) -> None:
    own_order = queries.own_order_that_could_meet(
        market, offering, seller_id=seller_id, starts_at=terms.starts_at, ends_at=terms.ends_at
    )
    if own_order is not None:
        raise OwnOrderCouldMeet(own_order)


def _enter_change(offer: Offer, *, is_improvement: bool, now: datetime) -> rounds.Entry:
    """Lock the round that a change takes part in; raises OfferMoveRefused, OfferInRound, NoCancelPhase."""
    if offer.status not in rules.LIVE:
        rules.check_move(offer.status, OfferStatus.WITHDRAWN)
    if offer.locked_at is not None:
        raise OfferInRound
    if is_improvement:
        return rounds.check_may_raise(offer.market, accepted_at=offer.revised_at, now=now)
    return rounds.check_may_lower(offer.market, accepted_at=offer.revised_at, now=now)


def _check_amended(offer: Offer, before: OfferTerms, after: OfferTerms, entry: rounds.Entry) -> None:
    at_old_prices = replace(
        after, reserve_micros=before.reserve_micros, instant_price_micros=before.instant_price_micros
    )
    if at_old_prices != before:
        if offer.sold_unit_hours:
            raise OfferPartlySold
        if offer.held_unit_hours:
            raise OfferQuoted
    # A price that stays was inside the collar of its day.
    has_new_price = rules.prices(before) != rules.prices(after)
    kinds = [offer.offering.resource_type.code] if has_new_price else []
    terms = collars.terms_for(offer.market, kinds, now=entry.accepted_at)
    problems = list(rules.terms_problems(terms, after))
    # An old start may lie in the past by now; only a new one has to be reachable.
    problems += rules.new_edge_problems(terms, before, after, gate_at=entry.round.scheduled_at, now=entry.accepted_at)
    if problems:
        raise OfferInvalid("The changed offer does not fit the rules of the market.", problems)
    if not rules.keeps_place(before, after):
        offering = offerings.with_cells(Offering.objects.filter(id=offer.offering_id)).get()
        _check_not_with_oneself(offer.market, offering, after, seller_id=offer.seller_id)


def _change_offered(read: Offer, by_hour: Mapping[datetime, int]) -> None:
    """Claim or give back units of an offer; raises CapacityShort, and OfferChangedMeanwhile for units that are gone."""
    if read.origin_id is not None:
        return  # what is sold back is sold capacity, on offer or not
    try:
        capacity.change_offered({(read.offering_id, hour): units for hour, units in by_hour.items()})
    except CapacityTaken as refusal:  # before anything is written
        raise OfferChangedMeanwhile from refusal


def _lock(read: Offer) -> Offer:
    """Lock an offer that was read before its capacity was locked; raises OfferInRound, OfferChangedMeanwhile."""
    offers = Offer.objects.select_for_update(of=("self",), no_key=True).select_related("market", "origin")
    offer = offers.get(id=read.id)
    if offer.locked_at is not None:
        raise OfferInRound
    if _state(offer) != _state(read):
        raise OfferChangedMeanwhile
    return offer


def _write_slots(offer: Offer, changes: dict[datetime, int], after: OfferTerms) -> None:
    by_hour = after.by_hour
    OfferSlot.objects.bulk_create(
        [OfferSlot(offer=offer, starts_at=hour, quantity=by_hour.get(hour, 0)) for hour in changes],
        update_conflicts=True,
        unique_fields=["offer", "starts_at"],
        update_fields=["quantity"],
    )


def _terms(offer: Offer) -> OfferTerms:
    return OfferTerms(offer.quantity, offer.starts_at, offer.ends_at, offer.reserve_micros, offer.instant_price_micros)


def _state(offer: Offer) -> tuple[object, ...]:
    return offer.revision, offer.status, offer.held_unit_hours, offer.sold_unit_hours


def _record(actor: Actor, offer: Offer, verb: str, *, before: dict[str, object] | None, now: datetime) -> None:
    """Keep the revision and leave the trail."""
    OfferRevision.objects.create(
        offer=offer, **OfferRevision.fields_of(offer), actor_label=actor.label, accepted_at=offer.revised_at
    )
    after = OfferRevision.fields_of(offer)
    audit.record(actor, f"offer.{verb}", "offer", offer.id, before, after, now=now, organisation_id=offer.seller_id)
    _emit(offer, verb, now=now)


def _emit(offer: Offer, what: str, *, now: datetime) -> None:
    events.emit(
        f"offer.{what}",
        "offer",
        offer.id,
        offer.seller_id,
        {
            "offer": ids.spell("off", offer.id),
            "market": offer.market.code,
            "status": offer.status,
            "revision": offer.revision,
            "open_unit_hours": offer.open_unit_hours,
        },
        now=now,
    )
