"""The verbs of sites: propose, submit, list, suspend, retire, measure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from catalog.sites import queries, rules
from catalog.sites.errors import (
    SiteCodeTaken,
    SiteMoveRefused,
    UnknownCluster,
    UnknownHub,
    UnknownMetro,
)
from catalog.sites.models import Cluster, Hub, Metro, Site, SiteLatency
from catalog.sites.rules import GridConnection, LatencyMetric, SiteStatus


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """What is stated of a new site; pue to three decimals, green share in whole per cent."""

    code: str
    name: str
    hub: str
    security_level: int
    name_zh: str = ""
    cluster: str | None = None
    pue: Decimal | None = None
    green_percent: int | None = None
    grid_connection: GridConnection = GridConnection.NONE


@transaction.atomic
def open_region(actor: Actor, code: str, *, name_en: str, name_zh: str, now: datetime) -> Hub:
    """Return the region of that code, made first when it is new; a region is a hub outside the eight national ones."""
    actor.require(Capability.OPERATE)
    region, made = Hub.objects.get_or_create(code=code, defaults={"name_en": name_en, "name_zh": name_zh})
    if made:
        audit.record(actor, "hub.open", "hub", region.id, None, {"code": code, "name": name_en}, now=now)
    return region


@transaction.atomic
def propose(actor: Actor, spec: SiteSpec, *, now: datetime) -> Site:
    """Enter a site as a draft of the actor's organisation.

    Raises UnknownHub, UnknownCluster and SiteCodeTaken.
    """
    actor.require(Capability.LIST, Capability.OPERATE)
    hub = Hub.objects.filter(code=spec.hub).first()
    if hub is None:
        raise UnknownHub(spec.hub)
    cluster = None
    if spec.cluster is not None:
        cluster = Cluster.objects.filter(code=spec.cluster, hub=hub).first()
        if cluster is None:
            raise UnknownCluster(spec.cluster, spec.hub)
    # Not looked up first: of two proposals at once the constraint lets one through, and the other is told.
    site, made = Site.objects.get_or_create(
        code=spec.code,
        defaults={
            "name": spec.name,
            "name_zh": spec.name_zh,
            "hub": hub,
            "cluster": cluster,
            "operator_id": actor.organisation(),
            "pue": spec.pue,
            "green_percent": spec.green_percent,
            "security_level": spec.security_level,
            "grid_connection": spec.grid_connection,
            "status": SiteStatus.DRAFT,
            "created_at": now,
        },
    )
    if not made:
        raise SiteCodeTaken(spec.code)
    audit.record(
        actor,
        "site.propose",
        "site",
        site.id,
        None,
        {"code": site.code, "hub": spec.hub},
        now=now,
    )
    return site


@transaction.atomic
def submit(actor: Actor, site_id: UUID, *, now: datetime) -> Site:
    """Ask the operator to list a draft."""
    actor.require(Capability.LIST, Capability.OPERATE)
    return _move(actor, site_id, SiteStatus.SUBMITTED, now=now)


@transaction.atomic
def list_(actor: Actor, site_id: UUID, *, now: datetime) -> Site:
    """Show a submitted or suspended site to everyone."""
    actor.require(Capability.OPERATE)
    return _move(actor, site_id, SiteStatus.LISTED, now=now)


@transaction.atomic
def suspend(actor: Actor, site_id: UUID, *, now: datetime) -> Site:
    """Take a listed site, with every offering in it, out of the search."""
    actor.require(Capability.OPERATE)
    return _move(actor, site_id, SiteStatus.SUSPENDED, now=now)


@transaction.atomic
def retire(actor: Actor, site_id: UUID, *, now: datetime) -> Site:
    """End a site for good."""
    actor.require(Capability.LIST, Capability.OPERATE)
    return _move(actor, site_id, SiteStatus.RETIRED, now=now)


@transaction.atomic
def state_latency(
    actor: Actor,
    site_id: UUID,
    metro: str,
    latency: Decimal,
    *,
    metric: LatencyMetric = LatencyMetric.ROUND_TRIP,
    now: datetime,
) -> SiteLatency:
    """Store a measured latency in milliseconds, rounded up to whole ones; a later figure replaces it.

    Raises UnknownMetro.
    """
    actor.require(Capability.LIST, Capability.OPERATE)
    site = queries.locked_for_change(actor, site_id)
    found = Metro.objects.filter(code=metro).first()
    if found is None:
        raise UnknownMetro(metro)
    before = SiteLatency.objects.filter(site=site, metro=found).first()
    stated, _ = SiteLatency.objects.update_or_create(
        site=site,
        metro=found,
        defaults={
            "latency_ms": rules.whole_ms(latency),
            "metric": metric,
            "measured_at": now,
        },
    )
    audit.record(
        actor,
        "site.state_latency",
        "site",
        site.id,
        None if before is None else {"metro": metro, "ms": before.latency_ms, "metric": before.metric},
        {"metro": metro, "ms": stated.latency_ms, "metric": stated.metric},
        now=now,
    )
    return stated


def _move(actor: Actor, site_id: UUID, status: SiteStatus, *, now: datetime) -> Site:
    # Locked before the check: two people may press two buttons at once.
    site = queries.locked_for_change(actor, site_id)
    before = site.status
    if not rules.can_move(before, status):
        raise SiteMoveRefused(before, status)
    site.status = status
    site.save(update_fields=["status"])
    after = {"status": str(status)}
    audit.record(
        actor, "site.move", "site", site.id, {"status": before}, after, now=now, organisation_id=site.operator_id
    )
    events.emit(f"site.{status}", "site", site.id, site.operator_id, {"code": site.code}, now=now)
    return site
