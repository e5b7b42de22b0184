"""Contracts that run over the end of a billing month are invoiced for it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from billing.contracts.models import Contract
from billing.contracts.rules import OVER
from billing.periods.rules import BOOKS_ZONE

KIND: Final = "invoice_month"
SLICE: Final = 250  # contracts of one job
GRACE: Final = timedelta(hours=1)  # for reports of the last hour; what comes later is on the next invoice


def last_end(now: datetime) -> datetime:
    """Return when the last billing month ended: its midnight in the zone of the books, in UTC."""
    local = now.astimezone(BOOKS_ZONE)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


@transaction.atomic
def enqueue_due(*, now: datetime) -> int:
    """Write down the work for the contracts that ran over the last month's end, once; returns how many jobs are new.

    A job has SLICE contracts, so that several workers share a month.
    """
    until = last_end(now)
    if now < until + GRACE:
        return 0
    month = f"{until:%Y-%m-%dT%H}"
    if Job.objects.filter(kind=KIND, key__startswith=f"{month}:").exists():
        return 0
    running = Contract.objects.filter(starts_at__lt=until, created_at__lt=until).exclude(status__in=OVER)
    # By buyer, for whoever bills one locks what counts its lines of the day.
    in_order = running.order_by("buyer_id", "id").values_list("id", flat=True)
    contract_ids = [str(contract_id) for contract_id in in_order]
    slices = [contract_ids[first : first + SLICE] for first in range(0, len(contract_ids), SLICE)]
    for one in slices:
        jobs.enqueue(KIND, f"{month}:{one[0]}", {"contracts": one, "until": until.isoformat()}, now=now)
    return len(slices)
