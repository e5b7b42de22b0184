"""Reads of offerings: who may see which, the search by need, and the prices in force."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import (
    Case,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Coalesce, Floor

from accounts.actors.actor import Actor, Capability
from catalog.offerings import cells, rules
from catalog.offerings.errors import OfferingNotFound
from catalog.offerings.models import Offering, RateCard, RateCardItem
from catalog.offerings.needs import MaxLatency, Needs, Unmet
from catalog.offerings.rules import Cell, CellParts, OfferingStatus
from catalog.sites.models import SiteLatency
from catalog.sites.rules import LatencyMetric, SiteStatus


@dataclass(frozen=True, slots=True)
class PricedOffering:
    """An offering with the prices in force, None before its first rate card."""

    offering: Offering
    rate_card: RateCard | None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A listed offering that does not qualify, with every reason why."""

    offering: Offering
    unmet: tuple[Unmet, ...]


def with_cells(offerings: QuerySet[Offering]) -> QuerySet[Offering]:
    """Fetch what an offering's cell is made of, in a fixed number of queries."""
    latencies = SiteLatency.objects.select_related("metro").order_by("metro__code")
    return offerings.select_related(
        "provider", "site__hub", "site__cluster", "resource_type__service_class"
    ).prefetch_related(Prefetch("site__latencies", latencies))


def cells_of(offerings: QuerySet[Offering]) -> dict[UUID, Cell]:
    """Return the cell of each offering, in two queries and without models: many are read while somebody types."""
    rows = list(offerings.order_by().prefetch_related(None).values_list("id", "site_id", *_CELL_PARTS))
    latencies: dict[UUID, list[tuple[str, int, str]]] = defaultdict(list)
    measured = SiteLatency.objects.filter(site__in={site_id for _, site_id, *_ in rows})
    for site_id, metro, latency_ms, metric in measured.values_list("site_id", "metro__code", "latency_ms", "metric"):
        latencies[site_id].append((metro, latency_ms, metric))
    by_code: dict[str, Cell] = {}
    found = {}
    for offering_id, site_id, *columns in rows:
        parts = CellParts(*columns)
        code = rules.cell_code(parts)
        if code not in by_code:
            by_code[code] = Cell(code, rules.cell_attributes(parts, latencies[site_id]))
        found[offering_id] = by_code[code]
    return found


# The columns of cells.parts, in the order of the fields of CellParts.
_CELL_PARTS: Final = (
    "site__code",
    "site__hub__code",
    "site__security_level",
    "site__green_percent",
    "resource_type__code",
    "resource_type__memory_gb",
    "resource_type__fp16_dense_tflops",
    "fabric",
    "security_level",
    "rated_tflops",
    "memory_gb",
)


def visible_to(actor: Actor) -> QuerySet[Offering]:
    """The offerings that an actor may see: listed ones, those of their organisation, and all to staff."""
    offerings = with_cells(Offering.objects.all())
    if actor.is_staff:
        return offerings
    visible = Q(status=OfferingStatus.LISTED, site__status=SiteStatus.LISTED)
    if actor.organisation_id is not None and actor.can(Capability.VIEW_SELLING):
        visible |= Q(provider_id=actor.organisation_id)
    return offerings.filter(visible)


def listed() -> QuerySet[Offering]:
    """The offerings that can be bought: listed, at a listed site."""
    return with_cells(Offering.objects.filter(status=OfferingStatus.LISTED, site__status=SiteStatus.LISTED))


def own(actor: Actor) -> QuerySet[Offering]:
    """The offerings of the actor's organisation, in every state."""
    actor.require(Capability.VIEW_SELLING)
    return with_cells(Offering.objects.filter(provider_id=actor.organisation()))


def one(actor: Actor, offering_id: UUID) -> Offering:
    """Return an offering that the actor may see; raises OfferingNotFound."""
    offering = visible_to(actor).filter(id=offering_id).first()
    if offering is None:
        raise OfferingNotFound
    return offering


def locked_for_change(actor: Actor, offering_id: UUID) -> Offering:
    """Lock an offering that the actor may change: their own, or any for the operator. Raises OfferingNotFound."""
    offerings = Offering.objects.select_for_update(of=("self",)).select_related("site", "resource_type")
    if not actor.can(Capability.OPERATE):
        offerings = offerings.filter(provider_id=actor.organisation_id)
    offering = offerings.filter(id=offering_id).first()
    if offering is None:
        raise OfferingNotFound
    return offering


def matching(offerings: QuerySet[Offering], needs: Needs) -> QuerySet[Offering]:
    """The offerings whose cell meets every need, decided in the database.

    The same verdict as Needs.unmet_by of each offering's attributes, which the tests hold it to.
    """
    offerings = offerings.annotate(
        cell_memory_gb=Coalesce(F("memory_gb"), F("resource_type__memory_gb")),
        cell_tflops=Floor(Coalesce(F("rated_tflops"), F("resource_type__fp16_dense_tflops"))),
        cell_security=Coalesce(F("security_level"), F("site__security_level")),
    )
    for condition in _conditions(needs):
        offerings = offerings.filter(condition)
    return offerings


def _conditions(needs: Needs) -> Iterable[Q]:
    if needs.models:
        yield Q(resource_type__code__in=needs.models)
    if needs.regions:
        yield Q(site__hub__code__in=needs.regions)
    if needs.interconnects:
        yield Q(fabric__in=needs.interconnects)
    if needs.min_memory_gb is not None:
        yield Q(cell_memory_gb__gte=needs.min_memory_gb)
    if needs.min_tflops is not None:
        yield Q(cell_tflops__gte=needs.min_tflops)
    if needs.min_green_percent is not None:
        yield Q(site__green_percent__gte=needs.min_green_percent)
    if needs.min_security is not None:
        yield Q(cell_security__gte=needs.min_security)
    if needs.max_latency is not None:
        yield Q(Exists(_near_enough(needs.max_latency)))


def _near_enough(bound: MaxLatency) -> QuerySet[SiteLatency]:
    round_trip = Case(
        When(metric=LatencyMetric.ONE_WAY, then=F("latency_ms") * 2),
        default=F("latency_ms"),
        output_field=IntegerField(),
    )
    rows = SiteLatency.objects.annotate(rtt_ms=round_trip)
    return rows.filter(site_id=OuterRef("site_id"), metro__code=bound.metro, rtt_ms__lte=bound.ms)


def near_misses(offerings: QuerySet[Offering], needs: Needs, *, limit: int) -> tuple[NearMiss, ...]:
    """Return the offerings that come closest without qualifying: fewest unmet needs first, then newest."""
    misses = [NearMiss(offering, needs.unmet_by(cells.attributes(offering))) for offering in offerings]
    missed = [miss for miss in misses if miss.unmet]
    return tuple(sorted(missed, key=lambda miss: (len(miss.unmet), -miss.offering.id.int))[:limit])


def all_rate_cards(actor: Actor) -> QuerySet[RateCard]:
    """Every version of the prices of the offerings that an actor may see."""
    items = RateCardItem.objects.order_by("meter")
    cards = RateCard.objects.filter(offering__in=visible_to(actor))
    return cards.select_related("offering__provider").prefetch_related(Prefetch("items", items))


def rate_cards(offering: Offering) -> QuerySet[RateCard]:
    """Every version of an offering's prices, the newest first."""
    items = RateCardItem.objects.order_by("meter")
    return offering.rate_cards.order_by("-version").prefetch_related(Prefetch("items", items))


def current_rate_card(offering: Offering, at: datetime) -> RateCard | None:
    """Return the prices in force at an instant, items prefetched: the last version that holds by then."""
    return rate_cards(offering).filter(effective_from__lte=at).order_by("-effective_from", "-version").first()


def current_rate_cards(offerings: Iterable[Offering], at: datetime) -> dict[UUID, RateCard]:
    """Return the prices in force at an instant by offering, in a fixed number of queries."""
    items = RateCardItem.objects.order_by("meter")
    cards = (
        RateCard.objects.filter(offering__in=[offering.id for offering in offerings], effective_from__lte=at)
        .order_by("offering_id", "-effective_from", "-version")
        .distinct("offering_id")
        .prefetch_related(Prefetch("items", items))
    )
    return {card.offering_id: card for card in cards}


def announced_rate_cards(offerings: Iterable[Offering], at: datetime) -> dict[UUID, list[RateCard]]:
    """Return the prices that hold from a later instant on, by offering and time, in a fixed number of queries."""
    items = RateCardItem.objects.order_by("meter")
    cards = (
        RateCard.objects.filter(offering__in=[offering.id for offering in offerings], effective_from__gt=at)
        .order_by("offering_id", "effective_from", "-version")
        .distinct("offering_id", "effective_from")  # of two versions for the same instant the later one holds
        .prefetch_related(Prefetch("items", items))
    )
    found: dict[UUID, list[RateCard]] = {}
    for card in cards:
        found.setdefault(card.offering_id, []).append(card)
    return found


def priced(offerings: Iterable[Offering], at: datetime) -> list[PricedOffering]:
    """Return offerings with their prices in force, in the same order."""
    found = list(offerings)
    cards = current_rate_cards(found, at)
    return [PricedOffering(offering, cards.get(offering.id)) for offering in found]


def one_priced(actor: Actor, offering_id: UUID, at: datetime) -> PricedOffering:
    """Return an offering that the actor may see with its prices in force; raises OfferingNotFound."""
    offering = one(actor, offering_id)
    return PricedOffering(offering, current_rate_card(offering, at))
