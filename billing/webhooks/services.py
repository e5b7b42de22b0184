"""Messages are stored once, and then make us look at their object again; a poller finds what no message told of."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation.failures import Failures
from accounts.jobs import services as jobs
from billing.cards import disputes, methods, refunds
from billing.cards import services as cards
from billing.cards.models import CardPayment, CardRefund, MethodSetup
from billing.cards.rules import PaymentStatus, RefundStatus, SetupStatus
from billing.connect import queries as connect_queries
from billing.connect import services as connect
from billing.connect.models import ConnectedAccount, ConnectTransfer
from billing.connect.rules import OnboardingStatus
from billing.gateway import facts, own_payouts, stripe
from billing.gateway.errors import CallRefused, NoSuchObject, OutcomeUnknown
from billing.gateway.services import calls_under_way
from billing.payments import stripe_receipts
from billing.payouts import transfers
from billing.webhooks.errors import MessageNotParked, NoSuchMessage
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import EventState, Subject, subject_of

HANDLE_EVENT: Final = "handle_stripe_event"
UNREADABLE: Final = "unreadable"  # in the place of a type that we know
_POLLER: Final = Actor.system("poller")
_LOOK_BACK: Final = timedelta(days=3)  # how long Stripe itself tries to deliver a message
_QUIET: Final = timedelta(minutes=5)  # a row that waits longer is looked at without being told to


@transaction.atomic
def receive(notice: facts.Notice, *, polled: bool = False, now: datetime) -> StripeEvent:
    """Store a message and have it handled; the same message again, by whichever way, returns the first row."""
    event, is_new = StripeEvent.objects.get_or_create(
        stripe_id=notice.id,
        defaults={
            "type": notice.type[:100],
            "account": notice.account[:120],
            "object_kind": notice.object_kind[:60],
            "object_id": notice.object_id[:120],
            "created_at": notice.created_at,
            "received_at": now,
            "polled": polled,
            "state": EventState.RECEIVED,
        },
    )
    if is_new:
        jobs.enqueue(HANDLE_EVENT, str(event.id), now=now)
    return event


@transaction.atomic
def keep_unread(unread: facts.UnreadNotice, *, now: datetime) -> bool:
    """Park an event of Stripe's list that cannot be read, for a person to look at; False when it was before."""
    _, is_new = StripeEvent.objects.get_or_create(
        stripe_id=unread.id,
        defaults={
            "type": UNREADABLE,
            "created_at": now,
            "received_at": now,
            "polled": True,
            "state": EventState.PARKED,
            "handled_at": now,
            "note": unread.problem[:200],
        },
    )
    return is_new


def belongs_here(notice: facts.Notice) -> bool:
    """Tell whether a message is of our mode, and about our account or a provider's that we know."""
    if notice.live != stripe.from_settings().live:
        return False
    return not notice.account or ConnectedAccount.objects.filter(stripe_id=notice.account).exists()


def handle(event_id: UUID, *, now: datetime) -> StripeEvent:
    """Look at what a message is about, and close it; outside every transaction, safe to repeat and to run twice.

    Raises OutcomeUnknown when Stripe cannot be asked: the message stays open.
    """
    event = StripeEvent.objects.get(id=event_id)
    if event.state in {EventState.PROCESSED, EventState.IGNORED}:
        return event
    subject = subject_of(event.type)
    if subject is None:
        return _close(event_id, EventState.IGNORED, "", now=now)
    if not event.object_id:
        return _close(event_id, EventState.PARKED, f"The message names no {subject}.", now=now)
    try:
        known = LOOK[subject](event.object_id, now)
    except (NoSuchObject, CallRefused) as error:
        return _close(event_id, EventState.PARKED, error.detail, now=now)
    if known:
        return _close(event_id, EventState.PROCESSED, "", now=now)
    if event.state == EventState.RECEIVED and calls_under_way():
        # It may be what a call of ours has just made, and whose answer is still on the way.
        raise OutcomeUnknown(f"{event.object_id} may belong to a call whose answer is not here yet.")
    # Other programs may share the account; what is like ours and unknown is for a person to look at.
    return _close(event_id, EventState.PARKED, f"No row of ours has this {subject}.", now=now)


@transaction.atomic
def set_aside(actor: Actor, event_id: UUID, reason: str, *, now: datetime) -> StripeEvent:
    """Note in somebody's words that a parked message is of no concern here. Raises NoSuchMessage, MessageNotParked."""
    actor.require(Capability.OPERATE_BOOKS)
    event = StripeEvent.objects.select_for_update(no_key=True).filter(id=event_id).first()
    if event is None:
        raise NoSuchMessage
    if event.state != EventState.PARKED:
        raise MessageNotParked(event.state)
    event.state, event.note, event.handled_at = EventState.IGNORED, reason[:200], now
    event.save(update_fields=["state", "note", "handled_at"])
    before, after = {"state": "parked"}, {"state": "ignored", "reason": reason, "message": event.stripe_id}
    audit.record(actor, "stripe_event.set_aside", "stripe_event", event.id, before, after, now=now)
    return event


@transaction.atomic
def _close(event_id: UUID, state: EventState, note: str, *, now: datetime) -> StripeEvent:
    event = StripeEvent.objects.select_for_update(no_key=True).get(id=event_id)
    if event.state == EventState.RECEIVED or (event.state == EventState.PARKED and state == EventState.PROCESSED):
        event.state, event.note, event.handled_at = state, note[:200], now
        event.save(update_fields=["state", "note", "handled_at"])
    return event


def _session(object_id: str, now: datetime) -> bool:
    return cards.refresh_by_session(object_id, now=now) or methods.refresh_by_session(object_id, now=now)


def _charge(object_id: str, now: datetime) -> bool:
    # Charges follow from payments and refunds, whose own messages say the same.
    payment = CardPayment.objects.filter(charge_id=object_id).first()
    if payment is not None:
        cards.refresh(payment.id, now=now)
        for refund in payment.refunds.exclude(stripe_id=""):
            refunds.refresh_by_stripe_id(refund.stripe_id, now=now)
    return True


def _payout(object_id: str, now: datetime) -> bool:
    if transfers.refresh_by_stripe_id(object_id, now=now):
        return True
    own = own_payouts.refresh(object_id, now=now)
    stripe_receipts.match_waiting(own, now=now)
    return True


LOOK: Final[dict[Subject, Callable[[str, datetime], bool]]] = {
    Subject.INTENT: lambda object_id, now: cards.refresh_by_intent(object_id, now=now),
    Subject.SESSION: _session,
    Subject.CHARGE: _charge,
    Subject.REFUND: lambda object_id, now: refunds.refresh_by_stripe_id(object_id, now=now),
    Subject.DISPUTE: lambda object_id, now: disputes.refresh(object_id, now=now),
    Subject.ACCOUNT: lambda object_id, now: connect.refresh_account(object_id, now=now),
    Subject.TRANSFER: lambda object_id, now: transfers.refresh_by_stripe_id(object_id, now=now),
    Subject.PAYOUT: _payout,
}


def poll(*, now: datetime) -> int:
    """Find what no message told of: undelivered messages, rows of ours that wait, disputes; returns how many.

    Jobs that were parked because Stripe could not be asked go on once it answers; an event nobody can read is parked.
    One that fails keeps no other waiting; what failed is raised after the last of them.
    """
    failures = Failures()
    found = 0
    newest = StripeEvent.objects.aggregate(at=Max("created_at"))["at"]
    # From before the last one that arrived: we may have been away for longer than Stripe tries.
    since = min(now, newest or now) - _LOOK_BACK
    with failures.kept("listing undelivered messages"):
        for notice in stripe.from_settings().undelivered_notices(since=since):
            with failures.kept(f"message {notice.id}"):
                found += _take_up(notice, now=now)
        # Stripe answers: what was given up while it did not is tried again, without anybody's help.
        found += jobs.resume(_POLLER, OutcomeUnknown, now=now)
    for name, look in _waiting(now):
        with failures.kept(name):
            look()
            found += 1
    with failures.kept("listing disputes"):
        found += disputes.discover(since=now - _LOOK_BACK, now=now)
    with failures.kept("listing our payouts"):
        for own in own_payouts.discover(now=now):
            stripe_receipts.match_waiting(own, now=now)
    failures.raise_any()
    return found


def _take_up(notice: facts.Notice | facts.UnreadNotice, *, now: datetime) -> bool:
    """Store what no message told of; False when it is known, or of no concern here."""
    if isinstance(notice, facts.UnreadNotice):
        return keep_unread(notice, now=now)
    if not belongs_here(notice) or StripeEvent.objects.filter(stripe_id=notice.id).exists():
        return False
    receive(notice, polled=True, now=now)
    return True


def _waiting(now: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what has waited for a message long enough to be looked at."""
    before = now - _QUIET
    open_payments = CardPayment.objects.filter(status=PaymentStatus.OPEN, created_at__lte=before).order_by("id")
    for payment in open_payments:
        yield f"card payment {payment.id}", lambda row=payment: cards.refresh(row.id, now=now)  # type: ignore[misc]
    open_setups = MethodSetup.objects.filter(status=SetupStatus.OPEN, created_at__lte=before).order_by("id")
    for setup in open_setups:
        yield f"setup {setup.id}", lambda row=setup: methods.refresh_by_session(row.session_id, now=now)  # type: ignore[misc]
    sent = CardRefund.objects.filter(status=RefundStatus.SENT, created_at__lte=before).exclude(stripe_id="")
    for refund in sent.order_by("id"):
        yield f"refund {refund.id}", lambda row=refund: refunds.refresh_by_stripe_id(row.stripe_id, now=now)  # type: ignore[misc]
    under_way = ConnectTransfer.objects.filter(status__in=connect_queries.UNDER_WAY, created_at__lte=before).exclude(
        transfer_stripe_id=""
    )
    for transfer in under_way.order_by("id"):
        yield f"transfer {transfer.id}", lambda row=transfer: connect.refresh(row.id, now=now)  # type: ignore[misc]
    # Whose object was not known may be by now.
    for event in StripeEvent.objects.filter(state=EventState.PARKED, received_at__gt=now - _LOOK_BACK).order_by("id"):
        yield f"message {event.id}", lambda row=event: handle(row.id, now=now)  # type: ignore[misc]
    for account in ConnectedAccount.objects.filter(status=OnboardingStatus.ONBOARDING).order_by("id"):
        yield f"account {account.id}", lambda row=account: connect.refresh_account(row.stripe_id, now=now)  # type: ignore[misc]
