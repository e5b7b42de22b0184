"""Payments by card: asked for here, made at Stripe by a job, and credited when Stripe says that the money is there.

What Stripe says is fetched, never believed from a message, and only ever moves a payment forward. Rows are locked in
one order: the card payment, its refund or dispute, the invoice, then the ledger's accounts. Nothing is locked while
Stripe is asked.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from accounts.organisations.models import Organisation
from billing.cards import rules
from billing.cards.errors import NothingToCollect, ReceivedDiffers
from billing.cards.models import CardCustomer, CardPayment
from billing.cards.rules import PAYMENT_MOVES, PaymentPurpose, PaymentStatus
from billing.gateway import facts, stripe
from billing.gateway import services as gateway
from billing.gateway.errors import GatewayAbsent
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState, Operation
from billing.invoices import paying
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from catalog.measures.money import Money, format_minor

PUSH_PAYMENT: Final = "push_card_payment"
ACTOR: Final = Actor.system("cards")
_SUBJECT: Final = "card_payment"

# --- Asking ------------------------------------------------------------------------------------


@transaction.atomic
def request_top_up(actor: Actor, amount: Money, *, return_to: str, now: datetime) -> CardPayment:
    """Ask for a page at Stripe where somebody pays into the actor's wallet; it is there a moment later.

    `return_to` is where Stripe leads the payer afterwards. Raises GatewayAbsent.
    """
    actor.require(Capability.TRADE)
    assert 0 < amount.amount_minor <= rules.MAX_CARD_PAYMENT_MINOR, amount
    require_gateway()
    customer_of(actor.organisation(), now=now)
    payment = CardPayment.objects.create(
        organisation_id=actor.organisation(),
        purpose=PaymentPurpose.TOP_UP,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        status=PaymentStatus.PREPARING,
        return_to=return_to,
        requested_by_id=actor.user_id,
        created_at=now,
    )
    jobs.enqueue(PUSH_PAYMENT, str(payment.id), now=now)
    note(actor, payment, None, now=now)
    return payment


@transaction.atomic
def collect_invoice(actor: Actor, invoice_id: UUID, *, now: datetime) -> CardPayment:
    """Collect what is open of an invoice from the method that its organisation has chosen.

    Asked for by finance, or by the buyer for its own. Raises NothingToCollect, GatewayAbsent and NoSuchInvoice.
    """
    actor.require(Capability.TRADE, Capability.OPERATE_BOOKS)
    require_gateway()
    invoice = paying.locked(actor, invoice_id)
    open_minor = paying.open_minor(invoice)
    if open_minor <= 0:
        raise NothingToCollect(f"Nothing is open of {invoice.number}.")
    customer = CardCustomer.objects.filter(organisation_id=invoice.organisation_id).first()
    if customer is None or customer.autopay_method_id is None:
        raise NothingToCollect(f"The buyer of {invoice.number} has chosen no saved method for its invoices.")
    under_way = CardPayment.objects.filter(invoice=invoice, status__in=[PaymentStatus.PREPARING, PaymentStatus.OPEN])
    if under_way.exists():
        raise NothingToCollect(f"{invoice.number} is being collected already.")
    payment = CardPayment.objects.create(
        organisation_id=invoice.organisation_id,
        purpose=PaymentPurpose.INVOICE,
        invoice=invoice,
        method_id=customer.autopay_method_id,
        amount_minor=min(open_minor, rules.MAX_CARD_PAYMENT_MINOR),
        currency=invoice.currency,
        status=PaymentStatus.PREPARING,
        requested_by_id=actor.user_id,
        created_at=now,
    )
    jobs.enqueue(PUSH_PAYMENT, str(payment.id), now=now)
    note(actor, payment, None, now=now)
    return payment


def require_gateway() -> None:
    """Raise GatewayAbsent where no Stripe account is configured."""
    if not stripe.from_settings().configured():
        raise GatewayAbsent


def customer_of(organisation_id: UUID, *, now: datetime) -> CardCustomer:
    """Return an organisation's customer, with the call that makes it at Stripe intended, in the present transaction."""
    # The organisation's row: two colleagues at once make one customer.
    organisation = Organisation.objects.select_for_update(no_key=True).get(id=organisation_id)
    customer, is_new = CardCustomer.objects.get_or_create(organisation=organisation, defaults={"created_at": now})
    if is_new:
        asked = {"name": organisation.name, "metadata": {"organisation": ids.spell("org", organisation.id)}}
        gateway.intend(Operation.CUSTOMER, "card_customer", customer.id, asked, now=now)
    return customer


# --- At Stripe ---------------------------------------------------------------------------------


def push(payment_id: UUID, *, now: datetime) -> CardPayment:
    """Have the payment made at Stripe, then note what became of it; outside every transaction, safe to repeat.

    Raises OutcomeUnknown: the same calls are repeated with their keys.
    """
    payment = CardPayment.objects.select_related("method", "organisation").get(id=payment_id)
    if payment.status != PaymentStatus.PREPARING:
        return payment
    customer_id = customer_at_stripe(payment.organisation_id, now=now)
    if not customer_id:
        return _refused(payment.id, "Stripe would not take the customer.", now=now)
    operation = Operation.PAY_SESSION if payment.purpose == PaymentPurpose.TOP_UP else Operation.PAYMENT
    asked = _page(payment, customer_id) if operation is Operation.PAY_SESSION else _collection(payment, customer_id)
    gateway.intend(operation, _SUBJECT, payment.id, asked, now=now)
    call = gateway.perform(operation, _SUBJECT, payment.id, now=now)
    _made(payment.id, call, now=now)
    return refresh(payment.id, now=now)


def customer_at_stripe(organisation_id: UUID, *, now: datetime) -> str:
    """Return the id of an organisation's customer, made when it is not there yet; empty when Stripe refuses."""
    customer = CardCustomer.objects.get(organisation_id=organisation_id)
    if customer.stripe_id:
        return customer.stripe_id
    call = gateway.perform(Operation.CUSTOMER, "card_customer", customer.id, now=now)
    if call.state == CallState.DONE:
        CardCustomer.objects.filter(id=customer.id, stripe_id="").update(stripe_id=call.object_id)
    return call.object_id if call.state == CallState.DONE else ""


def refresh(payment_id: UUID, *, now: datetime, intent_id: str = "") -> CardPayment:
    """Fetch what Stripe says of a payment and move it forward. Raises OutcomeUnknown and ReceivedDiffers."""
    payment = CardPayment.objects.get(id=payment_id)
    api = stripe.from_settings()
    session = api.session(payment.session_id) if payment.session_id else None
    intent_id = payment.intent_id or intent_id or (session.intent_id if session else "")
    intent = api.intent(intent_id) if intent_id else None
    return take(payment_id, session, intent, now=now)


@transaction.atomic
def take(payment_id: UUID, session: facts.Session | None, intent: facts.Intent | None, *, now: datetime) -> CardPayment:
    """Move a payment as far forward as what was fetched says, and post it when the money is there."""
    payment = CardPayment.objects.select_for_update(no_key=True).get(id=payment_id)
    if payment.status == PaymentStatus.SUCCEEDED:
        return payment
    if intent is not None:
        payment.intent_id = payment.intent_id or intent.id
        payment.failure = intent.failure_message[:300]
    if intent is not None and intent.status == "succeeded":
        _succeed(payment, intent, now=now)
    elif session is not None and session.status == "expired":
        _move(payment, PaymentStatus.EXPIRED, now=now)
    elif payment.invoice_id and intent is not None and intent.status in {"requires_payment_method", "canceled"}:
        # Nobody sits before a page: a declined collection is over, and the next one is another payment.
        _move(payment, PaymentStatus.FAILED, now=now)
    elif session is not None or intent is not None:
        payment.url = session.url if session else ""
        _move(payment, PaymentStatus.OPEN, now=now)
    return payment


def refresh_by_intent(intent_id: str, *, now: datetime) -> bool:
    """Look at the payment of an intent again, known by its id or by the mark we gave it; False when it is not ours."""
    found = CardPayment.objects.filter(intent_id=intent_id).first() if intent_id else None
    if found is None and intent_id:
        mark = stripe.from_settings().intent(intent_id).mark
        found = CardPayment.objects.filter(id=ids.parse("pay", mark)).first() if mark.startswith("pay_") else None
    if found is not None:
        refresh(found.id, now=now, intent_id=intent_id)
    return found is not None


def refresh_by_session(session_id: str, *, now: datetime) -> bool:
    """Look at the payment of a session again; False when it is none of ours."""
    found = CardPayment.objects.filter(session_id=session_id).first() if session_id else None
    if found is not None:
        refresh(found.id, now=now)
    return found is not None


# --- Moving ------------------------------------------------------------------------------------


@transaction.atomic
def _made(payment_id: UUID, call: GatewayCall, *, now: datetime) -> None:
    payment = CardPayment.objects.select_for_update(no_key=True).get(id=payment_id)
    if payment.status != PaymentStatus.PREPARING or payment.session_id or payment.intent_id:
        return
    if call.state == CallState.REFUSED and not call.object_id:
        payment.failure = (call.refusal or call.refusal_code)[:300]
        _move(payment, PaymentStatus.FAILED, now=now)
        return
    if call.operation == Operation.PAY_SESSION:
        payment.session_id, payment.url = call.object_id, call.object_url
    else:  # a declined payment was made all the same
        payment.intent_id = call.object_id
    payment.save(update_fields=["session_id", "intent_id", "url"])


@transaction.atomic
def _refused(payment_id: UUID, why: str, *, now: datetime) -> CardPayment:
    payment = CardPayment.objects.select_for_update(no_key=True).get(id=payment_id)
    payment.failure = why
    _move(payment, PaymentStatus.FAILED, now=now)
    return payment


def _succeed(payment: CardPayment, intent: facts.Intent, *, now: datetime) -> None:
    """Credit what has come in: the wallet, or the invoice it was collected for."""
    asked, received = Money(payment.amount_minor, payment.currency), Money(intent.received_minor, intent.currency)
    if received != asked:
        raise ReceivedDiffers(asked=asked, received=received)
    payment.charge_id = intent.charge_id
    payment.failure = ""
    # What an invoice does not need any more, for it was paid otherwise meanwhile, is the customer's own.
    owed = paying.pay(payment.invoice_id, payment.amount_minor, now=now) if payment.invoice_id else 0
    payment.transaction = ledger.post(
        Source(_SUBJECT, payment.id, "capture"),
        [
            debit(Code.STRIPE_CLEARING, payment.amount_minor),
            credit(Code.RECEIVABLE, owed, payment.organisation_id),
            credit(Code.WALLET, payment.amount_minor - owed, payment.organisation_id),
        ],
        currency=payment.currency,
        effective_at=now,
        now=now,
        memo=f"Card payment {ids.spell('pay', payment.id)}",
    )
    payment.succeeded_at = now
    _move(payment, PaymentStatus.SUCCEEDED, now=now)


def _move(payment: CardPayment, status: PaymentStatus, *, now: datetime) -> None:
    before = payment.status
    if status in PAYMENT_MOVES[PaymentStatus(before)]:
        payment.status = status
    if payment.status != PaymentStatus.OPEN:
        payment.url = ""
    payment.save(
        update_fields=[
            "status",
            "session_id",
            "intent_id",
            "charge_id",
            "url",
            "failure",
            "succeeded_at",
            "transaction",
        ]
    )
    if payment.status != before:
        note(ACTOR, payment, before, now=now)


def note(actor: Actor, payment: CardPayment, before: str | None, *, now: datetime) -> None:
    """Leave the trail of a step of a payment."""
    told = {
        "card_payment": ids.spell("pay", payment.id),
        "amount": format_minor(payment.amount_minor, payment.currency),
        "currency": payment.currency,
        "purpose": str(payment.purpose),
        "status": str(payment.status),
    }
    audit.record(
        actor,
        "card_payment.request" if before is None else "card_payment.change",
        _SUBJECT,
        payment.id,
        None if before is None else {"status": str(before)},
        told | {"failure": payment.failure},
        now=now,
        organisation_id=payment.organisation_id,
    )
    events.emit(f"card_payment.{payment.status}", _SUBJECT, payment.id, payment.organisation_id, told, now=now)


# --- What is sent ------------------------------------------------------------------------------


def _page(payment: CardPayment, customer_id: str) -> dict[str, Any]:
    spelled = ids.spell("pay", payment.id)
    priced = {
        "currency": payment.currency.lower(),
        "unit_amount": payment.amount_minor,
        "product_data": {"name": "Top-up"},
    }
    return {
        "mode": "payment",
        "customer": customer_id,
        "client_reference_id": spelled,
        "line_items": [{"price_data": priced, "quantity": 1}],
        "payment_intent_data": {"metadata": {"card_payment": spelled}},
        "success_url": payment.return_to,
        "cancel_url": payment.return_to,
    }


def _collection(payment: CardPayment, customer_id: str) -> dict[str, Any]:
    assert payment.method is not None
    assert payment.invoice is not None
    return {
        "amount": payment.amount_minor,
        "currency": payment.currency.lower(),
        "customer": customer_id,
        "payment_method": payment.method.stripe_id,
        "confirm": True,
        "off_session": True,
        "description": payment.invoice.number,
        "metadata": {"card_payment": ids.spell("pay", payment.id)},
    }
