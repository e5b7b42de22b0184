"""Let the simulated agents do what is due, through the same services that a real agent's requests reach."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.foundation.failures import Failures
from billing.contracts.terms import Terms
from billing.usage import services as usage
from billing.usage.rules import MAX_BATCH
from exchange.agents import plan
from exchange.agents.plan import Behaviour, LeaseFacts, Shortfall
from exchange.leases import queries as lease_queries
from exchange.leases import rules as lease_rules
from exchange.leases import services as leases
from exchange.leases.models import Lease
from exchange.leases.rules import LeaseStatus

PLAIN: Final = Behaviour()


def serve(*, now: datetime, behaviours: Mapping[UUID, Behaviour] | None = None) -> int:
    """Do what is due for every lease of providers with a simulated agent; return how many were served.

    `behaviours` (by lease) let an agent fall short or report given readings; others deliver plainly. A lease
    that fails keeps no other waiting; what failed is raised after the last of them.
    """
    due = _due(now).select_related("metering_point", "contract")
    failures = Failures()
    served = 0
    for lease_id in due.order_by("starts_at", "id").values_list("id", flat=True):
        with failures.kept(f"serving lease {lease_id}"), transaction.atomic():
            # Another worker may serve it: reports of two that do not know of each other would overlap.
            lease = due.select_for_update(of=("self",), skip_locked=True).filter(id=lease_id).first()
            if lease is not None:
                _serve(lease, (behaviours or {}).get(lease.id, PLAIN), now=now)
                served += 1
    failures.raise_any()
    return served


def agent_of(provider_id: UUID) -> Actor:
    """Return the agent of a provider as an actor: it delivers and meters, and may do nothing else."""
    capabilities = frozenset({Capability.DELIVER, Capability.METER})
    return Actor(provider_id, None, None, capabilities, "agent:simulated")


def _due(now: datetime) -> QuerySet[Lease]:
    begins = Q(status=LeaseStatus.SCHEDULED) | Q(starts_at__lte=now + plan.HAND_OVER_EARLY)
    # What failed or was replaced has nothing to report any more.
    delivers = ~Q(status__in=[LeaseStatus.FAILED, LeaseStatus.REPLACED])
    return Lease.objects.filter(begins & delivers, provider__simulated_agent=True, closed_at__isnull=True)


def _serve(lease: Lease, behaviour: Behaviour, *, now: datetime) -> None:
    actor = agent_of(lease.provider_id)
    facts = _facts(lease)
    actions = plan.next_actions(facts, behaviour, now=now)
    if actions.acknowledge:
        leases.acknowledge(actor, lease.id, now=now)
    if actions.activate:
        leases.activate(actor, lease.id, access=plan.access_text(facts.reference), now=now)
    if actions.heartbeat:
        leases.heartbeat(actor, lease.id, now=now)
    for start in range(0, len(actions.events), MAX_BATCH):
        usage.ingest(actor, actions.events[start : start + MAX_BATCH], now=now)
    if actions.complete:
        leases.end(actor, lease.id, now=now)


def _facts(lease: Lease) -> LeaseFacts:
    reported = lease.metering_point.segments.filter(reversed_at__isnull=True).aggregate(until=Max(F("ends_at")))
    offering = Terms.from_document(lease.contract.terms).offering(lease.offering_id)
    return LeaseFacts(
        reference=ids.spell("lse", lease.id),
        character=f"{offering.cell} {lease.starts_at.isoformat()} {lease.quantity}",
        quantity=lease.quantity,
        starts_at=lease.starts_at,
        ends_at=lease.ends_at,
        acknowledged=lease.acknowledged_at is not None,
        running=lease.activated_at is not None and lease.status in (*lease_rules.RUNNING, LeaseStatus.ENDED),
        last_heartbeat_at=lease.last_heartbeat_at,
        reported_until=reported["until"] or lease.starts_at,
        meters=tuple(rate.meter for rate in offering.rates),
        runs=tuple(Shortfall(run.starts_at, run.ends_at, run.quantity) for run in lease_queries.owed(lease)),
    )
