"""The life of a payout: due, approved, sent, and paid or failed.

The provider's balance is locked first, then the payout, then what the ledger locks. A payout in transit has left what
is owed (2110) and stands on 2190 until the bank shows it; one that fails goes back, and its items to the next one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.failures import Failures
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Line, Source, credit, debit
from billing.payouts import accruals, queries, rules
from billing.payouts.errors import (
    AbovePayable,
    DestinationHeld,
    NoDestination,
    NoSuchPayout,
    NothingToPay,
    OwnPayout,
    PayoutMoveRefused,
    PersonNeeded,
)
from billing.payouts.models import Payout, PayoutDestination, TransferFile
from billing.payouts.rules import PAYOUT_MOVES, Frequency, PayoutMethod, PayoutStatus
from catalog.measures.money import Money, format_minor

_SCHEDULE: Final = Actor.system("payouts")

# --- Due ---------------------------------------------------------------------------------------


def make_due(*, now: datetime) -> int:
    """Make every payout due whose day has come and that has accrued enough; returns how many. Safe to repeat."""
    failures = Failures()
    made = 0
    for payout_id in Payout.objects.filter(status=PayoutStatus.ACCRUING).order_by("id").values_list("id", flat=True):
        with failures.kept(f"making {payout_id} due"), transaction.atomic():
            made += _due_by_schedule(payout_id, now=now)
    failures.raise_any()
    return made


def _due_by_schedule(payout_id: UUID, *, now: datetime) -> bool:
    payout = _locked(payout_id)
    policy = queries.policy(payout.organisation_id, payout.currency, now=now)
    day = rules.last_due(Frequency(policy.frequency), now)
    looked = payout.looked_at or payout.opened_at
    if payout.status != PayoutStatus.ACCRUING or looked >= day:
        return False
    if _accrued(payout) < policy.minimum_minor:
        payout.looked_at = day
        payout.save(update_fields=["looked_at"])
        return False
    _fix(_SCHEDULE, payout, policy.two_people_above_minor, now=now)
    return True


@transaction.atomic
def make_due_now(actor: Actor, payout_id: UUID, *, now: datetime) -> Payout:
    """Pay what has accrued outside the schedule; colleagues approve it. Raises NothingToPay, PayoutMoveRefused."""
    actor.require(Capability.OPERATE_BOOKS)
    payout = _locked(payout_id)
    _check_move(payout, PayoutStatus.DUE)
    accrued = _accrued(payout)
    if accrued <= 0:
        raise NothingToPay(str(Money(accrued, payout.currency)))
    payout.made_due_by_id = _person(actor)
    _fix(
        actor, payout, queries.policy(payout.organisation_id, payout.currency, now=now).two_people_above_minor, now=now
    )
    return payout


def _fix(actor: Actor, payout: Payout, limit_minor: int, *, now: datetime) -> None:
    payout.status = PayoutStatus.DUE
    payout.amount_minor = _accrued(payout)
    payout.due_at = now
    payout.two_people_above_minor = limit_minor
    payout.save(update_fields=["status", "amount_minor", "due_at", "two_people_above_minor", "made_due_by"])
    _tell(actor, payout, "due", PayoutStatus.ACCRUING, now=now)


def _accrued(payout: Payout) -> int:
    return payout.items.filter(given_on_at__isnull=True).aggregate(total=Sum("amount_minor"))["total"] or 0


# --- Approved ----------------------------------------------------------------------------------


@transaction.atomic
def approve(actor: Actor, payout_id: UUID, *, now: datetime) -> Payout:
    """Agree to a payout; above the limit a second person has to agree as well before it is approved.

    Raises OwnPayout, PayoutMoveRefused, and AbovePayable when a later statement took from what is owed.
    """
    actor.require(Capability.APPROVE_BOOKS)
    person = _person(actor)
    payout = _locked(payout_id)
    _check_move(payout, PayoutStatus.APPROVED)
    if person in {payout.made_due_by_id, payout.first_approved_by_id}:
        raise OwnPayout
    assert payout.two_people_above_minor is not None
    if payout.amount_minor > payout.two_people_above_minor and payout.first_approved_by_id is None:
        payout.first_approved_by_id = person
        payout.save(update_fields=["first_approved_by"])
        _tell(actor, payout, "approve_first", PayoutStatus.DUE, now=now)
        return payout
    payout.status, payout.approved_by_id, payout.approved_at = PayoutStatus.APPROVED, person, now
    try:
        payout.save(update_fields=["status", "approved_by", "approved_at"])
    except IntegrityError as error:
        if "payouts_within_payable" in str(error):
            raise AbovePayable from error
        raise
    _tell(actor, payout, "approve", PayoutStatus.DUE, now=now)
    return payout


# --- Sent --------------------------------------------------------------------------------------


@transaction.atomic
def send(actor: Actor, payout_id: UUID, *, now: datetime) -> Payout:
    """Note that an approved payout was handed to the bank by hand.

    Raises NoDestination, DestinationHeld, PayoutMoveRefused.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = _locked(payout_id)
    _check_move(payout, PayoutStatus.IN_TRANSIT)
    _send(actor, payout, destination=_destination(payout, now=now), file=None, now=now)
    return payout


@transaction.atomic
def send_by_file(actor: Actor, currency: str, *, now: datetime) -> TransferFile:
    """Put every approved payout of a currency that may be sent now into one file for the bank.

    What has no destination, or one that was changed a short time ago, stays approved. Raises NothingToPay.
    """
    actor.require(Capability.OPERATE_BOOKS)
    person = _person(actor)
    approved = Payout.objects.filter(status=PayoutStatus.APPROVED, currency=currency)
    # In one order for all: the balance of a provider is what two files would meet at.
    found = [
        _locked(payout_id) for payout_id in approved.order_by("organisation_id", "id").values_list("id", flat=True)
    ]
    ready: list[tuple[Payout, PayoutDestination]] = []
    for payout in found:
        destination = queries.destination(payout.organisation_id)
        if payout.status == PayoutStatus.APPROVED and destination and now >= destination.held_until:
            ready.append((payout, destination))
    total = sum(payout.amount_minor for payout, _ in ready)
    if not ready:
        raise NothingToPay(str(Money(0, currency)))
    file = TransferFile.objects.create(
        currency=currency, payout_count=len(ready), total_minor=total, created_by_id=person, created_at=now
    )
    for payout, destination in ready:
        _send(actor, payout, destination=destination, file=file, now=now)
    audit.record(
        actor,
        "transfer_file.create",
        "transfer_file",
        file.id,
        None,
        {"payouts": len(ready), "total": format_minor(total, currency), "currency": currency},
        now=now,
    )
    return file


def _destination(payout: Payout, *, now: datetime) -> PayoutDestination:
    destination = queries.destination(payout.organisation_id)
    if destination is None:
        raise NoDestination
    if now < destination.held_until:
        raise DestinationHeld(destination.held_until)
    return destination


def _send(
    actor: Actor, payout: Payout, *, destination: PayoutDestination, file: TransferFile | None, now: datetime
) -> None:
    payout.status = PayoutStatus.IN_TRANSIT
    payout.method = PayoutMethod.BANK
    payout.destination = destination
    payout.destination_changed_at = destination.created_at
    payout.file = file
    payout.sent_at = now
    payout.sent_by_id = _person(actor)
    payout.save(
        update_fields=["status", "method", "destination", "destination_changed_at", "file", "sent_at", "sent_by"]
    )
    _post(
        payout,
        "send",
        [
            debit(Code.PAYABLE_AVAILABLE, payout.amount_minor, payout.organisation_id),
            credit(Code.PAYOUTS_IN_TRANSIT, payout.amount_minor),
        ],
        now=now,
    )
    _tell(actor, payout, "send", PayoutStatus.APPROVED, now=now)


# --- Paid or failed ----------------------------------------------------------------------------


@transaction.atomic
def confirm(actor: Actor, payout_id: UUID, bank_reference: str, *, now: datetime) -> Payout:
    """Note that the bank shows a payout; saying so again with the same reference changes nothing.

    Raises PayoutMoveRefused.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = _locked(payout_id)
    if payout.status == PayoutStatus.PAID and payout.bank_reference == bank_reference:
        return payout
    _check_move(payout, PayoutStatus.PAID)
    payout.status, payout.bank_reference, payout.ended_at = PayoutStatus.PAID, bank_reference, now
    payout.save(update_fields=["status", "bank_reference", "ended_at"])
    lines = [debit(Code.PAYOUTS_IN_TRANSIT, payout.amount_minor), credit(Code.BANK, payout.amount_minor)]
    _post(payout, "paid", lines, now=now)
    _tell(actor, payout, "paid", PayoutStatus.IN_TRANSIT, now=now)
    return payout


@transaction.atomic
def fail(actor: Actor, payout_id: UUID, reason: str, *, now: datetime) -> Payout:
    """Note that the bank did not pay: what was sent is owed again, and the next payout pays it.

    Raises PayoutMoveRefused.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = _locked(payout_id)
    _check_move(payout, PayoutStatus.FAILED)
    payout.status, payout.failure, payout.ended_at = PayoutStatus.FAILED, reason, now
    payout.save(update_fields=["status", "failure", "ended_at"])
    sent = ledger.posted(Source("payout", payout.id, "send"))
    assert sent is not None, payout.id
    ledger.reverse(sent, now=now, memo=f"Payout failed: {reason}"[:200])
    accruals.give_on(payout, now=now)
    _tell(actor, payout, "fail", PayoutStatus.IN_TRANSIT, now=now)
    return payout


# --- Shared ------------------------------------------------------------------------------------


def _locked(payout_id: UUID) -> Payout:
    found = Payout.objects.filter(id=payout_id).values_list("organisation_id", "currency").first()
    if found is None:
        raise NoSuchPayout
    accruals.locked_balance(*found)
    return Payout.objects.select_for_update(no_key=True).get(id=payout_id)


def _check_move(payout: Payout, after: PayoutStatus) -> None:
    if after not in PAYOUT_MOVES[PayoutStatus(payout.status)]:
        raise PayoutMoveRefused(payout.status, after)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise PersonNeeded
    return actor.user_id


def _post(payout: Payout, purpose: str, lines: Sequence[Line], *, now: datetime) -> None:
    ledger.post(
        Source("payout", payout.id, purpose),
        lines,
        currency=payout.currency,
        effective_at=now,
        now=now,
        memo=f"Payout {ids.spell('pyt', payout.id)}",
    )


def _tell(actor: Actor, payout: Payout, verb: str, before: PayoutStatus, *, now: datetime) -> None:
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
