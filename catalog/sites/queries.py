"""Reads of hubs, metros and sites."""

from functools import cache
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from catalog.sites.errors import SiteNotFound
from catalog.sites.models import Hub, Metro, Site, SiteLatency
from catalog.sites.rules import LatencyTier, SiteStatus
from catalog.taxonomy import reference


def hubs() -> QuerySet[Hub]:
    """Every hub and region with its clusters; the national hubs first."""
    return Hub.objects.prefetch_related("clusters").order_by("-national", "code")


def metros() -> QuerySet[Metro]:
    """The cities that latency is stated to."""
    return Metro.objects.order_by("code")


@cache
def latency_tiers() -> tuple[LatencyTier, ...]:
    """The latency bounds of the national network, tightest first."""
    rows = reference.read("sites/data/latency_tiers.json")["latency_tiers"]
    return tuple(sorted((LatencyTier(**row) for row in rows), key=lambda tier: tier.max_rtt_ms))


def visible_to(actor: Actor) -> QuerySet[Site]:
    """The sites that an actor may see: listed and suspended ones, their own, and all to staff."""
    sites = with_latencies(Site.objects.all())
    if actor.is_staff:
        return sites
    public = Q(status__in=(SiteStatus.LISTED, SiteStatus.SUSPENDED))
    if actor.organisation_id is not None and actor.can(Capability.VIEW_SELLING):
        public |= Q(operator_id=actor.organisation_id)
    return sites.filter(public)


def with_latencies(sites: QuerySet[Site]) -> QuerySet[Site]:
    """Fetch what a site is shown with, in a fixed number of queries."""
    latencies = SiteLatency.objects.select_related("metro").order_by("metro__code")
    return sites.select_related("hub", "cluster", "operator").prefetch_related(Prefetch("latencies", latencies))


def one(actor: Actor, site_id: UUID) -> Site:
    """Return a site that the actor may see; raises SiteNotFound."""
    site = visible_to(actor).filter(id=site_id).first()
    if site is None:
        raise SiteNotFound
    return site


def locked_for_change(actor: Actor, site_id: UUID) -> Site:
    """Lock a site that the actor may change: their own, or any for the operator. Raises SiteNotFound."""
    sites = Site.objects.select_for_update().filter(id=site_id)
    if not actor.can(Capability.OPERATE):
        sites = sites.filter(operator_id=actor.organisation_id)
    site = sites.first()
    if site is None:
        raise SiteNotFound
    return site
