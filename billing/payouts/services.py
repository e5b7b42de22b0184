"""A provider's money becomes payable once its dispute window is over."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.failures import Failures
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts.models import StatementRelease
from catalog.measures.money import format_minor

BATCH: Final = 500  # releases of one call; the next call takes the rest

_RELEASER: Final = Actor.system("payouts")


def schedule_release(
    statement_id: UUID, organisation_id: UUID, *, amount_minor: int, currency: str, due_at: datetime, now: datetime
) -> StatementRelease:
    """Note in the statement's own transaction when its amount stops being pending.

    The statement has posted `amount_minor` to the provider's pending payable (negative when the provider owes).
    """
    return StatementRelease.objects.create(
        statement_id=statement_id,
        organisation_id=organisation_id,
        amount_minor=amount_minor,
        currency=currency,
        created_at=now,
        due_at=due_at,
    )


def release_due(*, now: datetime, limit: int = BATCH) -> int:
    """Make every amount available whose dispute window is over; returns how many.

    One short transaction each: a death in between leaves the rest for the next call. Two at once share the work.
    A release that fails keeps no other waiting; what failed is raised after the last of them.
    """
    due = StatementRelease.objects.filter(released_at__isnull=True, due_at__lte=now).order_by("due_at", "id")
    failures = Failures()
    released = 0
    for release_id in due.values_list("id", flat=True)[:limit]:
        with failures.kept(f"releasing {release_id}"):
            released += _release(release_id, now=now)
    failures.raise_any()
    return released


@transaction.atomic
def _release(release_id: UUID, *, now: datetime) -> bool:
    # Skipped when another worker has it, gone when another has just done it.
    release = (
        StatementRelease.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(id=release_id, released_at__isnull=True)
        .first()
    )
    if release is None:
        return False
    provider_id = release.organisation_id
    release.transaction = ledger.post(
        Source("statement", release.statement_id, "release"),
        [
            debit(Code.PAYABLE_PENDING, release.amount_minor, provider_id),
            credit(Code.PAYABLE_AVAILABLE, release.amount_minor, provider_id),
        ],
        currency=release.currency,
        effective_at=release.due_at,
        now=now,
        memo="Dispute window over",
    )
    release.released_at = now
    release.save(update_fields=["transaction", "released_at"])
    told = {
        "statement": ids.spell("stm", release.statement_id),
        "amount": format_minor(release.amount_minor, release.currency),
        "currency": release.currency,
    }
    audit.record(
        _RELEASER,
        "statement.release",
        "statement",
        release.statement_id,
        {"payable": "pending"},
        told | {"payable": "available"},
        now=now,
        organisation_id=provider_id,
    )
    events.emit("statement.released", "statement", release.statement_id, provider_id, told, now=now)
    return True
