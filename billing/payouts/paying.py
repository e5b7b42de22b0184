"""The life of a payout: due, approved, sent, and paid or failed.

The provider's balance is locked first, then the payout, then what the ledger locks. A payout in transit has left what
is owed (2110) and stands on 2190 until the bank shows it; one that fails goes back, and its items to the next one.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation.failures import Failures
from billing.ledger.chart import Code
from billing.ledger.rules import credit, debit
from billing.payouts import queries, rules, steps, transfers
from billing.payouts.errors import (
    AbovePayable,
    DestinationHeld,
    NoDestination,
    NothingToPay,
    OwnPayout,
    PayoutMoveRefused,
    WentThroughStripe,
)
from billing.payouts.models import Payout, PayoutDestination, TransferFile
from billing.payouts.rules import Frequency, PayoutMethod, PayoutStatus
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
    payout = steps.locked(payout_id)
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
    payout = steps.locked(payout_id)
    steps.check_move(payout, PayoutStatus.DUE)
    accrued = _accrued(payout)
    if accrued <= 0:
        raise NothingToPay(str(Money(accrued, payout.currency)))
    payout.made_due_by_id = steps.person(actor)
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
    steps.tell(actor, payout, "due", PayoutStatus.ACCRUING, now=now)


def _accrued(payout: Payout) -> int:
    return payout.items.filter(given_on_at__isnull=True).aggregate(total=Sum("amount_minor"))["total"] or 0


# --- Approved ----------------------------------------------------------------------------------


@transaction.atomic
def approve(actor: Actor, payout_id: UUID, *, now: datetime) -> Payout:
    """Agree to a payout; above the limit a second person has to agree as well before it is approved.

    Raises OwnPayout, PayoutMoveRefused, and AbovePayable when a later statement took from what is owed.
    """
    actor.require(Capability.APPROVE_BOOKS)
    person = steps.person(actor)
    payout = steps.locked(payout_id)
    steps.check_move(payout, PayoutStatus.APPROVED)
    if person in {payout.made_due_by_id, payout.first_approved_by_id}:
        raise OwnPayout
    assert payout.two_people_above_minor is not None
    if payout.amount_minor > payout.two_people_above_minor and payout.first_approved_by_id is None:
        payout.first_approved_by_id = person
        payout.save(update_fields=["first_approved_by"])
        steps.tell(actor, payout, "approve_first", PayoutStatus.DUE, now=now)
        return payout
    payout.status, payout.approved_by_id, payout.approved_at = PayoutStatus.APPROVED, person, now
    try:
        payout.save(update_fields=["status", "approved_by", "approved_at"])
    except IntegrityError as error:
        if "payouts_within_payable" in str(error):
            raise AbovePayable from error
        raise
    steps.tell(actor, payout, "approve", PayoutStatus.DUE, now=now)
    return payout


# --- Sent --------------------------------------------------------------------------------------


@transaction.atomic
def send(actor: Actor, payout_id: UUID, *, now: datetime) -> Payout:
    """Send an approved payout: through Stripe where its provider has an account there, which a job then does.

    For everybody else it is noted that the payout was handed to the bank by hand. Raises NoDestination,
    DestinationHeld, PayoutMoveRefused.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = steps.locked(payout_id)
    steps.check_move(payout, PayoutStatus.IN_TRANSIT)
    account = transfers.account_of(payout.organisation_id)
    if account is not None:
        transfers.send(actor, payout, account, now=now)
    else:
        _send(actor, payout, destination=_destination(payout, now=now), file=None, now=now)
    return payout


@transaction.atomic
def send_by_file(actor: Actor, currency: str, *, now: datetime) -> TransferFile:
    """Put every approved payout of a currency that may be sent now into one file for the bank.

    What has no destination, or one that was changed a short time ago, stays approved; so does what goes through
    Stripe. Raises NothingToPay.
    """
    actor.require(Capability.OPERATE_BOOKS)
    person = steps.person(actor)
    approved = transfers.for_the_bank(Payout.objects.filter(status=PayoutStatus.APPROVED, currency=currency))
    # In one order for all: the balance of a provider is what two files would meet at.
    found = [
        steps.locked(payout_id) for payout_id in approved.order_by("organisation_id", "id").values_list("id", flat=True)
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
    payout.sent_by_id = steps.person(actor)
    payout.save(
        update_fields=["status", "method", "destination", "destination_changed_at", "file", "sent_at", "sent_by"]
    )
    steps.post_sent(payout, now=now)
    steps.tell(actor, payout, "send", PayoutStatus.APPROVED, now=now)


# --- Paid or failed ----------------------------------------------------------------------------


@transaction.atomic
def confirm(actor: Actor, payout_id: UUID, bank_reference: str, *, now: datetime) -> Payout:
    """Note that the bank shows a payout; saying so again with the same reference changes nothing.

    Raises PayoutMoveRefused, and WentThroughStripe.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = steps.locked(payout_id)
    if payout.status == PayoutStatus.PAID and payout.bank_reference == bank_reference:
        return payout
    _check_ends(payout, PayoutStatus.PAID)
    lines = [debit(Code.PAYOUTS_IN_TRANSIT, payout.amount_minor), credit(Code.BANK, payout.amount_minor)]
    steps.post(payout, "paid", lines, now=now)
    payout.bank_reference = bank_reference
    steps.end(actor, payout, PayoutStatus.PAID, now=now)
    return payout


@transaction.atomic
def fail(actor: Actor, payout_id: UUID, reason: str, *, now: datetime) -> Payout:
    """Note that the bank did not pay: what was sent is owed again, and the next payout pays it.

    Raises PayoutMoveRefused, and WentThroughStripe.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payout = steps.locked(payout_id)
    _check_ends(payout, PayoutStatus.FAILED)
    steps.end(actor, payout, PayoutStatus.FAILED, failure=reason, now=now)
    return payout


def _check_ends(payout: Payout, status: PayoutStatus) -> None:
    if payout.method == PayoutMethod.STRIPE:
        raise WentThroughStripe
    if payout.status != PayoutStatus.IN_TRANSIT:
        raise PayoutMoveRefused(payout.status, status)
