"""Reads of card payments, saved methods and refunds."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.cards.errors import NoSuchCardMethod, NoSuchCardPayment, NoSuchRefund
from billing.cards.models import CardCustomer, CardPayment, CardRefund, MethodSetup, RefundPolicy, SavedMethod


def visible_payments(actor: Actor) -> QuerySet[CardPayment]:
    """Return the card payments an actor may see: all with the books, else those of its own organisation."""
    payments = CardPayment.objects.select_related("organisation", "invoice", "method")
    if actor.can(Capability.VIEW_BOOKS):
        return payments
    actor.require(Capability.VIEW_BUYING)
    return payments.filter(organisation_id=actor.organisation())


def payment(actor: Actor, payment_id: UUID) -> CardPayment:
    """Return one card payment; raises NoSuchCardPayment."""
    found = visible_payments(actor).filter(id=payment_id).first()
    if found is None:
        raise NoSuchCardPayment
    return found


def methods(actor: Actor) -> QuerySet[SavedMethod]:
    """Return the saved methods of the actor's organisation."""
    actor.require(Capability.VIEW_BUYING)
    return SavedMethod.objects.filter(organisation_id=actor.organisation(), removed_at__isnull=True)


def method(actor: Actor, method_id: UUID, *, also_removed: bool = False) -> SavedMethod:
    """Return one saved method of the actor's organisation; raises NoSuchCardMethod."""
    own = SavedMethod.objects.filter(organisation_id=actor.organisation(), id=method_id)
    found = own.first() if also_removed else own.filter(removed_at__isnull=True).first()
    if found is None:
        raise NoSuchCardMethod
    return found


def autopay_method_id(actor: Actor) -> UUID | None:
    """Return the method that the organisation's invoices are collected from."""
    return (
        CardCustomer.objects.filter(organisation_id=actor.organisation())
        .values_list("autopay_method_id", flat=True)
        .first()
    )


def setup(actor: Actor, setup_id: UUID) -> MethodSetup:
    """Return one page where a method is left; raises NoSuchCardMethod."""
    found = MethodSetup.objects.filter(organisation_id=actor.organisation(), id=setup_id).first()
    if found is None:
        raise NoSuchCardMethod
    return found


def visible_refunds(actor: Actor) -> QuerySet[CardRefund]:
    """Return refunds: all with the books, else those of the actor's organisation."""
    refunds = CardRefund.objects.select_related("payment", "payment__organisation", "requested_by")
    if actor.can(Capability.VIEW_BOOKS):
        return refunds
    actor.require(Capability.VIEW_BUYING)
    return refunds.filter(payment__organisation_id=actor.organisation())


def refund(actor: Actor, refund_id: UUID) -> CardRefund:
    """Return one refund; raises NoSuchRefund."""
    found = visible_refunds(actor).filter(id=refund_id).first()
    if found is None:
        raise NoSuchRefund
    return found


def refund_alone_up_to_minor(currency: str, *, now: datetime) -> int:
    """Return what one person may send back to a card at a time; nothing in a currency that has no policy."""
    rows = RefundPolicy.objects.filter(currency=currency, effective_from__lte=now).order_by("-effective_from")
    return rows.values_list("alone_up_to_minor", flat=True).first() or 0
