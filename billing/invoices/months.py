"""Contracts that run over the end of a billing month are invoiced for it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from billing.contracts.models import Contract
from billing.contracts.rules import OVER
from billing.invoices.rules import BOOKS_ZONE

KIND: Final = "invoice_month"
GRACE: Final = timedelta(hours=1)  # for reports of the last hour; what comes later is on the next invoice


def last_end(now: datetime) -> datetime:
    """Return when the last billing month ended: its midnight in the zone of the books, in UTC."""
    local = now.astimezone(BOOKS_ZONE)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def enqueue_due(*, now: datetime) -> int:
    """Write down the work for every contract that ran over the last month's end; returns how many are new."""
    until = last_end(now)
    if now < until + GRACE:
        return 0
    running = Contract.objects.filter(starts_at__lt=until, created_at__lt=until).exclude(status__in=OVER)
    by_key = {f"{contract_id}:{until:%Y-%m-%dT%H}": contract_id for contract_id in running.values_list("id", flat=True)}
    known = set(Job.objects.filter(kind=KIND, key__in=by_key).values_list("key", flat=True))
    fresh = {key: contract_id for key, contract_id in by_key.items() if key not in known}
    for key, contract_id in fresh.items():
        jobs.enqueue(KIND, key, {"contract": str(contract_id), "until": until.isoformat()}, now=now)
    return len(fresh)
