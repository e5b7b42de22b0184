"""The verbs of offerings: create, price, submit, list, suspend, retire."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation.errors import FieldProblem, mismatch
from catalog.measures import money, tariffs, units
from catalog.measures.errors import MeasureError
from catalog.measures.tariffs import Period, PriceModel, Tariff, Tier
from catalog.offerings import queries, rules
from catalog.offerings.errors import (
    NotPriced,
    OfferingMoveRefused,
    RateCardInThePast,
    RateCardRefused,
    SiteNotOpen,
)
from catalog.offerings.models import Offering, RateCard, RateCardItem
from catalog.offerings.rules import Fabric, OfferingStatus, Quality
from catalog.sites import queries as sites
from catalog.sites.errors import SiteNotFound
from catalog.sites.rules import SiteStatus
from catalog.taxonomy import queries as taxonomy

MAX_ITEMS = 64
MAX_BASE_QUANTITY = tariffs.MAX_BASE_QUANTITY


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
    qos: Quality = Quality.NORMAL


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one meter: micros of the currency per `base_quantity` of the meter's unit, or a model with tiers.

    `precision` is stated for normalised performance alone.
    """

    meter: str
    price_micros: int
    base_quantity: int = 1
    model: PriceModel = PriceModel.FLAT
    tiers: tuple[Tier, ...] = ()
    minimum_micros: int = 0
    period: Period = Period.CONTRACT
    precision: str = ""

    @property
    def tariff(self) -> Tariff:
        """The price without its meter."""
        return Tariff(self.price_micros, self.base_quantity, self.model, self.tiers, self.minimum_micros, self.period)


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
        qos=spec.qos,
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
    problems = tuple(_performance_problems(rates, offering))
    if problems:
        raise RateCardRefused("The rate card prices performance that the listing does not state.", problems)
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
            model=rate.model,
            tiers=[[tier.up_to, tier.price_micros] for tier in rate.tiers],
            minimum_micros=rate.minimum_micros,
            period=rate.period,
            precision=rate.precision,
        )
        for rate in rates
    )
    prices = {rate.meter: _recorded(rate) for rate in rates}
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
        if _is_metered(rate.meter) and currency in money.EXPONENTS:
            for problem in tariffs.problems(rate.tariff, meter=rate.meter, currency=currency):
                yield FieldProblem(f"{pointer}{problem.pointer}", mismatch(problem.seen, problem.expected))
        normalised = rate.meter in tariffs.NORMALISED
        if rate.precision not in (tariffs.PRECISIONS if normalised else ("",)):
            expected = f"one of {', '.join(tariffs.PRECISIONS)}" if normalised else "none: only performance has one"
            yield FieldProblem(f"{pointer}/precision", mismatch(rate.precision, expected))


def _performance_problems(rates: Sequence[Rate], offering: Offering) -> Iterator[FieldProblem]:
    rated = offering.rated_tflops if offering.rated_tflops is not None else offering.resource_type.fp16_dense_tflops
    for index, rate in enumerate(rates):
        if rate.meter in tariffs.NORMALISED and rated is None:
            expected = "a meter that counts no rated performance: neither the listing nor its type has any"
            yield FieldProblem(f"/items/{index}/meter", mismatch(rate.meter, expected))


def _recorded(rate: Rate) -> list[Any]:
    """Return a price for the audit record: price and base, and the rest where it is not the usual."""
    recorded: list[Any] = [rate.price_micros, rate.base_quantity]
    if not rate.tariff.by_event:
        tiers = [[tier.up_to, tier.price_micros] for tier in rate.tiers]
        recorded += [str(rate.model), tiers, rate.minimum_micros, str(rate.period)]
    return recorded


def _is_metered(meter: str) -> bool:
    try:
        return units.unit(meter).metered
    except MeasureError:
        return False
