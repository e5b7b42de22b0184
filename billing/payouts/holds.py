"""A dispute keeps the provider's part of the disputed invoice from being paid until it is resolved.

Before its statement is released the hold waits; at the release, or at once where that is over, the amount moves from
what is available to what is kept back, and the payout that accrues pays so much less. A payout that is due already
cannot be approved while it would pay what is held. Rows are locked from the release to the balance of its provider.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Sum

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import accruals
from billing.payouts.models import DisputeHold, StatementRelease
from billing.payouts.rules import ItemPart
from catalog.measures.money import format_minor

_HOLDER: Final = Actor.system("payouts")


def hold(dispute_id: UUID, statement_id: UUID, *, amount_minor: int, now: datetime) -> DisputeHold | None:
    """Hold what a dispute contests of a statement, at most what other disputes leave of it; once for a dispute.

    Belongs in the transaction of the dispute. None for a statement that moves nothing.
    """
    release = StatementRelease.objects.select_for_update(no_key=True).filter(statement_id=statement_id).first()
    if release is None:
        return None
    before = DisputeHold.objects.filter(dispute_id=dispute_id).first()
    if before is not None:
        return before
    others = release.holds.filter(lifted_at__isnull=True).aggregate(total=Sum("amount_minor"))["total"] or 0
    made = DisputeHold.objects.create(
        release=release,
        dispute_id=dispute_id,
        amount_minor=max(0, min(amount_minor, release.amount_minor - others)),
        created_at=now,
    )
    if release.released_at is not None:
        _take(made, release, now=now)
    _tell(made, release, "held", now=now)
    return made


def take_from(release: StatementRelease, *, now: datetime) -> None:
    """Take what is disputed out of a release that has just become available; its row is locked."""
    for waiting in release.holds.filter(held_at__isnull=True, lifted_at__isnull=True).order_by("id"):
        _take(waiting, release, now=now)


def lift(dispute_id: UUID, *, now: datetime) -> None:
    """Let what a dispute held be paid: it is resolved. Safe to repeat; belongs in the transaction of the resolution."""
    release_id = DisputeHold.objects.filter(dispute_id=dispute_id).values_list("release_id", flat=True).first()
    if release_id is None:
        return
    release = StatementRelease.objects.select_for_update(no_key=True).get(id=release_id)
    held = DisputeHold.objects.select_for_update(no_key=True).get(dispute_id=dispute_id)
    if held.lifted_at is not None:
        return
    if held.held_at is not None:
        payout = accruals.open_payout(release.organisation_id, release.currency, now=now)
        held.lift_transaction_id = _post(held, release, "lift", -held.amount_minor, now=now)
        accruals.add_hold(payout, held, ItemPart.LIFTED, held.amount_minor)
    held.lifted_at = now
    held.save(update_fields=["lifted_at", "lift_transaction"])
    _tell(held, release, "hold_lifted", now=now)


def _take(held: DisputeHold, release: StatementRelease, *, now: datetime) -> None:
    if held.amount_minor == 0:
        return
    payout = accruals.open_payout(release.organisation_id, release.currency, now=now)
    held.transaction_id = _post(held, release, "hold", held.amount_minor, now=now)
    held.held_at = now
    held.save(update_fields=["held_at", "transaction"])
    accruals.add_hold(payout, held, ItemPart.HELD, -held.amount_minor)


def _post(held: DisputeHold, release: StatementRelease, purpose: str, amount_minor: int, *, now: datetime) -> UUID:
    posted = ledger.post(
        Source("dispute", held.dispute_id, purpose),
        [
            debit(Code.PAYABLE_AVAILABLE, amount_minor, release.organisation_id),
            credit(Code.PROVIDER_RESERVE, amount_minor, release.organisation_id),
        ],
        currency=release.currency,
        effective_at=now,
        now=now,
        memo="Disputed" if purpose == "hold" else "Dispute resolved",
    )
    return posted.id


def _tell(held: DisputeHold, release: StatementRelease, verb: str, *, now: datetime) -> None:
    told = {
        "statement": ids.spell("stm", release.statement_id),
        "amount": format_minor(held.amount_minor, release.currency),
        "currency": release.currency,
    }
    provider_id = release.organisation_id
    audit.record(
        _HOLDER,
        f"statement.{verb}",
        "statement",
        release.statement_id,
        None,
        told,
        now=now,
        organisation_id=provider_id,
    )
    events.emit(f"statement.{verb}", "statement", release.statement_id, provider_id, told, now=now)
