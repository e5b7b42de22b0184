"""The verbs of offerings: create, price, submit, list, suspend, retire."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation.errors import FieldProblem, mismatch
from catalog.measures import money, units
from catalog.measures.errors import MeasureError
from catalog.measures.price import MAX_PRICE_MICROS
from catalog.offerings import queries, rules
from catalog.offerings.errors import (
    NotPriced,
    OfferingMoveRefused,
    RateCardInThePast,
    RateCardRefused,
    SiteNotOpen,
)
from catalog.offerings.models import Offering, RateCard, RateCardItem
from catalog.offerings.rules import Fabric, OfferingStatus
from catalog.sites import queries as sites
from catalog.sites.errors import SiteNotFound
from catalog.sites.rules import SiteStatus
from catalog.taxonomy import queries as taxonomy

MAX_ITEMS = 64
MAX_BASE_QUANTITY = 10**12


@dataclass(frozen=True, slots=True)
class OfferingSpec:
    """What a provider states of a new offering.

    Performance is dense FP16 TFLOPS per unit; rates are parts per million. Level, performance and memory are
    None where the standard of the site and the resource type holds.
    """

    site_id: UUID
    resource_type: str
    name: str
    fabric: Fabric = Fabric.NONE
    security_level: int | None = None
    rated_tflops: Decimal | None = None
    memory_gb: int | None = None
    units_per_machine: int = 1
    sla_credit_ppm: int = 100_000
    sla_availability_ppm: int = 990_000
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one meter: micros of the currency per `base_quantity` of the meter's unit."""

    meter: str
    price_micros: int
    base_quantity: int = 1


@transaction.atomic
def create(actor: Actor, spec: OfferingSpec, *, now: datetime) -> Offering:
    """Enter an offering of the actor's organisation as a draft.

    Raises SiteNotFound, SiteNotOpen and UnknownResourceType.
    """
    actor.require(Capability.LIST)
    site = sites.visible_to(actor).filter(id=spec.site_id).first()
    if site is None:
        raise SiteNotFound
    if site.status != SiteStatus.LISTED:
        raise SiteNotOpen(site.code, site.status)
    offering = Offering.objects.create(
        provider_id=actor.organisation(),
        site=site,
        resource_type=taxonomy.resource_type(spec.resource_type),
        name=spec.name,
        fabric=spec.fabric,
        security_level=spec.security_level,
        rated_tflops=spec.rated_tflops,
        memory_gb=spec.memory_gb,
        units_per_machine=spec.units_per_machine,
        sla_credit_ppm=spec.sla_credit_ppm,
        sla_availability_ppm=spec.sla_availability_ppm,
        attributes=dict(spec.attributes),
        status=OfferingStatus.DRAFT,
        created_at=now,
    )
    stated = {
        "site": site.code,
        "resource_type": spec.resource_type,
        "name": spec.name,
        "fabric": str(spec.fabric),
    }
    audit.record(actor, "offering.create", "offering", offering.id, None, stated, now=now)
    return offering


@transaction.atomic
def publish_rate_card(
    actor: Actor,
    offering_id: UUID,
    rates: Sequence[Rate],
    *,
    currency: str,
    now: datetime,
    effective_from: datetime | None = None,
) -> RateCard:
    """Publish the next version of an offering's prices, in force from now or a later instant.

    Raises RateCardRefused with a problem per item, and RateCardInThePast.
    """
    actor.require(Capability.LIST)
    problems = tuple(_rate_problems(rates, currency))
    if problems:
        raise RateCardRefused("The rate card is not well formed.", problems)
    starts = now if effective_from is None else effective_from
    if starts < now:
        raise RateCardInThePast(starts, now)
    # The offering's row is the lock that gives versions one after the other.
    offering = queries.locked_for_change(actor, offering_id)
    card = RateCard.objects.create(
        offering=offering,
        version=offering.rate_cards.count() + 1,
        currency=currency,
        effective_from=starts,
        created_at=now,
    )
    RateCardItem.objects.bulk_create(
        RateCardItem(
            rate_card=card,
            meter=rate.meter,
            price_micros=rate.price_micros,
            base_quantity=rate.base_quantity,
        )
        for rate in rates
    )
    prices = {rate.meter: [rate.price_micros, rate.base_quantity] for rate in rates}
    after = {
        "version": card.version,
        "currency": currency,
        "effective_from": starts.isoformat(),
        "prices": prices,
    }
    audit.record(
        actor,
        "offering.publish_rate_card",
        "offering",
        offering.id,
        None,
        after,
        now=now,
    )
    events.emit(
        "offering.priced",
        "offering",
        offering.id,
        offering.provider_id,
        {"version": card.version},
        now=now,
    )
    return card


@transaction.atomic
def submit(actor: Actor, offering_id: UUID, *, now: datetime) -> Offering:
    """Ask the operator to list a draft. Raises NotPriced when it has no rate card."""
    actor.require(Capability.LIST)
    offering = queries.locked_for_change(actor, offering_id)
    if not offering.rate_cards.exists():
        raise NotPriced
    return _move(actor, offering, OfferingStatus.SUBMITTED, now=now)


@transaction.atomic
def list_(actor: Actor, offering_id: UUID, *, now: datetime) -> Offering:
    """Show a submitted or suspended offering to buyers. Raises SiteNotOpen when its site is not listed."""
    actor.require(Capability.OPERATE)
    offering = queries.locked_for_change(actor, offering_id)
    if offering.site.status != SiteStatus.LISTED:
        raise SiteNotOpen(offering.site.code, offering.site.status)
    return _move(actor, offering, OfferingStatus.LISTED, now=now)


@transaction.atomic
def send_back(actor: Actor, offering_id: UUID, *, now: datetime) -> Offering:
    """Return a submitted offering to its provider as a draft."""
    actor.require(Capability.OPERATE)
    return _move(
        actor,
        queries.locked_for_change(actor, offering_id),
        OfferingStatus.DRAFT,
        now=now,
    )


@transaction.atomic
def suspend(actor: Actor, offering_id: UUID, *, now: datetime) -> Offering:
    """Take a listed offering out of the search and out of new offers; what was sold is still delivered."""
    actor.require(Capability.LIST, Capability.OPERATE)
    return _move(
        actor,
        queries.locked_for_change(actor, offering_id),
        OfferingStatus.SUSPENDED,
        now=now,
    )


@transaction.atomic
def retire(actor: Actor, offering_id: UUID, *, now: datetime) -> Offering:
    """End an offering for good; what was sold is still delivered."""
    actor.require(Capability.LIST, Capability.OPERATE)
    return _move(
        actor,
        queries.locked_for_change(actor, offering_id),
        OfferingStatus.RETIRED,
        now=now,
    )


def _move(actor: Actor, offering: Offering, status: OfferingStatus, *, now: datetime) -> Offering:
    before = offering.status
    if not rules.can_move(before, status):
        raise OfferingMoveRefused(before, status)
    offering.status = status
    if status is OfferingStatus.LISTED and offering.listed_at is None:
        offering.listed_at = now
    offering.save(update_fields=["status", "listed_at"])
    after = {"status": str(status)}
    seller = offering.provider_id
    audit.record(
        actor, "offering.move", "offering", offering.id, {"status": before}, after, now=now, organisation_id=seller
    )
    events.emit(f"offering.{status}", "offering", offering.id, seller, {"name": offering.name}, now=now)
    return offering


def _rate_problems(rates: Sequence[Rate], currency: str) -> Iterator[FieldProblem]:
    if currency not in money.EXPONENTS:
        yield FieldProblem("/currency", mismatch(currency, f"one of {', '.join(money.EXPONENTS)}"))
    if not 1 <= len(rates) <= MAX_ITEMS:
        yield FieldProblem("/items", mismatch(len(rates), f"1 to {MAX_ITEMS} items"))
    seen: set[str] = set()
    for index, rate in enumerate(rates):
        pointer = f"/items/{index}"
        if not _is_metered(rate.meter):
            metered = ", ".join(code for code, unit in units.all_units().items() if unit.metered)
            yield FieldProblem(f"{pointer}/meter", mismatch(rate.meter, f"one of {metered}"))
        elif rate.meter in seen:
            yield FieldProblem(f"{pointer}/meter", mismatch(rate.meter, "each meter once"))
        seen.add(rate.meter)
        if not 0 <= rate.price_micros <= MAX_PRICE_MICROS:
            yield FieldProblem(
                f"{pointer}/price",
                mismatch(rate.price_micros, f"0 to {MAX_PRICE_MICROS} micros"),
            )
        if not 1 <= rate.base_quantity <= MAX_BASE_QUANTITY:
            expected = f"a whole number from 1 to {MAX_BASE_QUANTITY}"
            yield FieldProblem(f"{pointer}/base_quantity", mismatch(rate.base_quantity, expected))


def _is_metered(meter: str) -> bool:
    try:
        return units.unit(meter).metered
    except MeasureError:
        return False
