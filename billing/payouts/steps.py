"""What every step of a payout is made of: the rows locked, the move checked, the posting, the trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Line, Source, credit, debit
from billing.payouts import accruals
from billing.payouts.errors import NoSuchPayout, PayoutMoveRefused, PersonNeeded
from billing.payouts.models import Payout
from billing.payouts.rules import PAYOUT_MOVES, PayoutStatus
from catalog.measures.money import format_minor


def locked(payout_id: UUID) -> Payout:
    """Lock a payout after its provider's balance; raises NoSuchPayout."""
    found = Payout.objects.filter(id=payout_id).values_list("organisation_id", "currency").first()
    if found is None:
        raise NoSuchPayout
    accruals.locked_balance(*found)
    return Payout.objects.select_for_update(no_key=True).get(id=payout_id)


def check_move(payout: Payout, after: PayoutStatus) -> None:
    """Raise PayoutMoveRefused unless the payout may go there."""
    if after not in PAYOUT_MOVES[PayoutStatus(payout.status)]:
        raise PayoutMoveRefused(payout.status, after)


def person(actor: Actor) -> UUID:
    """Return who acts; raises PersonNeeded for a program."""
    if actor.user_id is None:
        raise PersonNeeded
    return actor.user_id


def post(payout: Payout, purpose: str, lines: Sequence[Line], *, now: datetime) -> None:
    """Post a step of a payout."""
    ledger.post(
        Source("payout", payout.id, purpose),
        lines,
        currency=payout.currency,
        effective_at=now,
        now=now,
        memo=f"Payout {ids.spell('pyt', payout.id)}",
    )


def tell(actor: Actor, payout: Payout, verb: str, before: PayoutStatus, *, now: datetime) -> None:
    """Leave the trail of a step."""
    after: dict[str, Any] = {
        "status": str(payout.status),
        "amount": format_minor(payout.amount_minor, payout.currency),
        "currency": payout.currency,
    }
    if payout.failure:
        after["failure"] = payout.failure
    audit.record(
        actor,
        f"payout.{verb}",
        "payout",
        payout.id,
        {"status": str(before)},
        after,
        now=now,
        organisation_id=payout.organisation_id,
    )
    told = after | {"payout": ids.spell("pyt", payout.id)}
    events.emit(f"payout.{verb}", "payout", payout.id, payout.organisation_id, told, now=now)


def post_sent(payout: Payout, *, now: datetime) -> None:
    """Take what is sent out of what is owed; it stands in transit until it has left the bank or Stripe."""
    lines = [
        debit(Code.PAYABLE_AVAILABLE, payout.amount_minor, payout.organisation_id),
        credit(Code.PAYOUTS_IN_TRANSIT, payout.amount_minor),
    ]
    post(payout, "send", lines, now=now)


def end(actor: Actor, payout: Payout, status: PayoutStatus, *, failure: str = "", now: datetime) -> None:
    """Note that a payout is paid, or has failed: then what was sent is owed again, and the next payout pays it."""
    before = PayoutStatus(payout.status)
    payout.status, payout.failure, payout.ended_at = status, failure[:500], now
    payout.save(update_fields=["status", "failure", "ended_at", "bank_reference"])
    if status is PayoutStatus.FAILED:
        sent = ledger.posted(Source("payout", payout.id, "send"))
        assert sent is not None, payout.id
        ledger.reverse(sent, now=now, memo=f"Payout failed: {failure}"[:200])
        accruals.give_on(payout, now=now)
    tell(actor, payout, "fail" if status is PayoutStatus.FAILED else "paid", before, now=now)
