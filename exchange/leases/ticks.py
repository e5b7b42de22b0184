"""What the clock does to leases: alarms, impairment, ends, and closing of reports.

Each lease is one short transaction under its own lock, which looks again at what is due.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.actors.actor import Actor
from accounts.foundation.failures import Failures
from exchange.leases import rules, services
from exchange.leases.models import Lease
from exchange.leases.rules import LeaseStatus

# Leases in one tick: what is left comes with the next, a few seconds later.
BATCH: Final = 500
_CLOCK: Final = Actor.system("leases")


def run_due(*, now: datetime) -> int:
    """Do what is due for leases; return how many were touched.

    A lease that fails keeps no other waiting; what failed is raised after the last of them.
    """
    failures = Failures()
    steps: tuple[tuple[Q, Callable[[Lease, datetime], None]], ...] = (
        (_acknowledgement_late(now), _raise_acknowledgement_alarm),
        (_activation_late(now), _raise_activation_alarm),
        (_heartbeat_lost(now), _impair),
        (Q(closed_at__isnull=True, ends_at__lte=now) & ~Q(status__in=rules.OVER), _finish),
        (_reports_over(now), _close),
    )
    touched = sum(_each(Lease.objects.filter(condition), step, failures, now=now) for condition, step in steps)
    failures.raise_any()
    return touched


def _acknowledgement_late(now: datetime) -> Q:
    return Q(status=LeaseStatus.SCHEDULED, acknowledge_by__lt=now, acknowledgement_alarm_at__isnull=True)


def _activation_late(now: datetime) -> Q:
    return Q(status__in=rules.BEFORE_HAND_OVER, starts_at__lte=now, ends_at__gt=now, activation_alarm_at__isnull=True)


def _heartbeat_lost(now: datetime) -> Q:
    # A lease handed over early need not beat before its start.
    return Q(
        status=LeaseStatus.ACTIVE,
        last_heartbeat_at__lt=now - rules.HEARTBEAT_GAP,
        starts_at__lt=now - rules.HEARTBEAT_GAP,
        ends_at__gt=now,
    )


def _reports_over(now: datetime) -> Q:
    # What ended early still runs to its contracted end before its reports close.
    return Q(closed_at__isnull=True, status__in=rules.OVER, ends_at__lte=now - rules.REPORTING_GRACE)


def _each(due: QuerySet[Lease], step: Callable[[Lease, datetime], None], failures: Failures, *, now: datetime) -> int:
    touched = 0
    for lease_id in due.order_by(F("ends_at"), "id").values_list("id", flat=True)[:BATCH]:
        with failures.kept(f"{step.__name__.strip('_')} of lease {lease_id}"), transaction.atomic():
            # Another worker may be at it, or it may have changed since it was listed.
            lease = due.select_for_update(skip_locked=True).filter(id=lease_id).first()
            if lease is not None:
                step(lease, now)
                touched += 1
    return touched


def _raise_acknowledgement_alarm(lease: Lease, now: datetime) -> None:
    lease.acknowledgement_alarm_at = now
    lease.save(update_fields=["acknowledgement_alarm_at"])
    services.tell(lease, "lease.acknowledgement_late", now=now)


def _raise_activation_alarm(lease: Lease, now: datetime) -> None:
    lease.activation_alarm_at = now
    lease.save(update_fields=["activation_alarm_at"])
    services.tell(lease, "lease.activation_late", now=now)


def _impair(lease: Lease, now: datetime) -> None:
    services.move(_CLOCK, lease, LeaseStatus.IMPAIRED, now=now)


def _finish(lease: Lease, now: datetime) -> None:
    services.finish(_CLOCK, lease, now=now)


def _close(lease: Lease, now: datetime) -> None:
    services.close(_CLOCK, lease, now=now)
