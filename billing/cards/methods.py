"""Cards that Stripe keeps for an organisation: saved on Stripe's page, chosen for invoices, removed."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from billing.cards import queries
from billing.cards.models import CardCustomer, MethodSetup, SavedMethod
from billing.cards.rules import SETUP_MOVES, SetupStatus
from billing.cards.services import ACTOR, customer_at_stripe, customer_of, require_gateway
from billing.gateway import facts, stripe
from billing.gateway import services as gateway
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState, Operation

PUSH_SETUP: Final = "push_method_setup"
DETACH_METHOD: Final = "detach_card_method"


@transaction.atomic
def request_setup(actor: Actor, *, currency: str, return_to: str, now: datetime) -> MethodSetup:
    """Ask for a page at Stripe where somebody leaves a card for the actor's organisation. Raises GatewayAbsent."""
    actor.require(Capability.TRADE)
    require_gateway()
    customer_of(actor.organisation(), now=now)
    setup = MethodSetup.objects.create(
        organisation_id=actor.organisation(), status=SetupStatus.PREPARING, return_to=return_to, created_at=now
    )
    jobs.enqueue(PUSH_SETUP, str(setup.id), {"currency": currency}, now=now)
    audit.record(actor, "card_method.ask", "method_setup", setup.id, None, {"status": setup.status}, now=now)
    return setup


def push_setup(setup_id: UUID, *, currency: str, now: datetime) -> MethodSetup:
    """Have the page made; outside every transaction, safe to repeat. Raises OutcomeUnknown."""
    setup = MethodSetup.objects.get(id=setup_id)
    if setup.status != SetupStatus.PREPARING:
        return setup
    customer_id = customer_at_stripe(setup.organisation_id, now=now)
    if not customer_id:
        return _made(setup.id, None)
    asked = {
        "mode": "setup",
        "currency": currency.lower(),
        "customer": customer_id,
        "success_url": setup.return_to,
        "cancel_url": setup.return_to,
    }
    gateway.intend(Operation.SETUP_SESSION, "method_setup", setup.id, asked, now=now)
    call = gateway.perform(Operation.SETUP_SESSION, "method_setup", setup.id, now=now)
    return _made(setup.id, call)


@transaction.atomic
def _made(setup_id: UUID, call: GatewayCall | None) -> MethodSetup:
    setup = MethodSetup.objects.select_for_update(no_key=True).get(id=setup_id)
    if setup.status == SetupStatus.PREPARING:
        setup.status = SetupStatus.ENDED
        if call is not None and call.state == CallState.DONE:
            setup.status, setup.session_id, setup.url = SetupStatus.OPEN, call.object_id, call.object_url
        setup.save(update_fields=["status", "session_id", "url"])
    return setup


def refresh_by_session(session_id: str, *, now: datetime) -> bool:
    """Fetch what became of a page, and keep the card that was left there; False when the page is none of ours."""
    setup = MethodSetup.objects.filter(session_id=session_id).first() if session_id else None
    if setup is None:
        return False
    api = stripe.from_settings()
    session = api.session(session_id)
    method_id = api.method_set_up(session.setup_id) if session.setup_id else ""
    _take(setup.id, session, api.method(method_id) if method_id else None, now=now)
    return True


@transaction.atomic
def _take(setup_id: UUID, session: facts.Session, method: facts.Method | None, *, now: datetime) -> None:
    setup = MethodSetup.objects.select_for_update(no_key=True).get(id=setup_id)
    if SetupStatus.SAVED not in SETUP_MOVES[SetupStatus(setup.status)]:
        return
    if method is not None:
        saved, is_new = SavedMethod.objects.get_or_create(
            stripe_id=method.id,
            defaults={
                "organisation_id": setup.organisation_id,
                "brand": method.brand[:40],
                "last4": method.last4[:4],
                "expires_year": method.expires_year,
                "expires_month": method.expires_month,
                "saved_at": now,
            },
        )
        setup.method, setup.status, setup.url = saved, SetupStatus.SAVED, ""
        if is_new:
            _note(ACTOR, saved, "save", now=now)
    elif session.status == "expired":
        setup.status, setup.url = SetupStatus.ENDED, ""
    setup.save(update_fields=["method", "status", "url"])


@transaction.atomic
def choose_for_invoices(actor: Actor, method_id: UUID | None, *, now: datetime) -> CardCustomer:
    """Have the organisation's invoices collected from a saved method, or with None from none.

    Raises NoSuchCardMethod.
    """
    actor.require(Capability.TRADE)
    customer = customer_of(actor.organisation(), now=now)
    method = None if method_id is None else queries.method(actor, method_id)
    before = customer.autopay_method_id
    customer.autopay_method = method
    customer.save(update_fields=["autopay_method"])
    spelled = [None if found is None else ids.spell("pmt", found) for found in (before, method_id)]
    audit.record(
        actor, "card_method.autopay", "card_customer", customer.id, {"method": spelled[0]}, {"method": spelled[1]},
        now=now,
    )  # fmt: skip
    return customer


@transaction.atomic
def remove(actor: Actor, method_id: UUID, *, now: datetime) -> SavedMethod:
    """Forget a saved method, here at once and at Stripe by a job. A second time changes nothing."""
    actor.require(Capability.TRADE)
    customer = customer_of(actor.organisation(), now=now)
    method = queries.method(actor, method_id, also_removed=True)
    if method.removed_at is None:
        if customer.autopay_method_id == method.id:
            customer.autopay_method = None
            customer.save(update_fields=["autopay_method"])
        method.removed_at = now
        method.save(update_fields=["removed_at"])
        gateway.intend(Operation.DETACH_METHOD, "saved_method", method.id, {"on": method.stripe_id}, now=now)
        jobs.enqueue(DETACH_METHOD, str(method.id), now=now)
        _note(actor, method, "remove", now=now)
    return method


def push_detach(method_id: UUID, *, now: datetime) -> None:
    """Have Stripe forget a method; when it knows none, that is what was wanted. Raises OutcomeUnknown."""
    gateway.perform(Operation.DETACH_METHOD, "saved_method", method_id, now=now)


def _note(actor: Actor, method: SavedMethod, action: str, *, now: datetime) -> None:
    shown = {"card_method": ids.spell("pmt", method.id), "brand": method.brand, "last4": method.last4}
    audit.record(
        actor, f"card_method.{action}", "saved_method", method.id, None, shown, now=now,
        organisation_id=method.organisation_id,
    )  # fmt: skip
    told = {"save": "saved", "remove": "removed"}[action]
    events.emit(f"card_method.{told}", "saved_method", method.id, method.organisation_id, shown, now=now)
